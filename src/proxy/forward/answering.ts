/** The steps of an exchange that pass a slot's answer on to the visitor. */
import type { Fill, ServedStored } from '../cache/fill.ts';
import { serveStored } from '../cache/serve.ts';
import { countAnswer } from '../metrics/counters.ts';
import { affinityCookie } from '../request/affinity.ts';
import { addHsts, toVisitorFields } from '../request/fields.ts';
import { type AnswerHead, BadAnswer } from '../slot/answer-head.ts';
import { Answer } from '../visitor/answer.ts';
import { connectionOf } from '../visitor/request.ts';
import {
  breakOff,
  cutStream,
  dropVainTrailer,
  onDrain,
  whenTaken,
  writeInformational,
} from '../visitor/response.ts';
import { MOST_WAITING_PIECES, toNobody, toVisitor } from './encoded-body.ts';
import type { ExchangeState } from './exchange-state.ts';
import { leavePlace } from './place.ts';

const EVENT_STREAM = /^text\/event-stream\b/i;

/** More informational answers to one request are a fault: no window slows them down, and they hold off the time limit. */
const MOST_INFORMATIONAL = 64;

/** @throws BadAnswer for informational answers without end */
export function passInformational(exchange: ExchangeState, head: AnswerHead): void {
  const { status, fields, known } = head;
  const { response } = exchange;
  if (exchange.seenWaiting > 0) exchange.seenWaiting = 0;
  // Whether the visitor gets a 100 is the upload's business.
  if (status === 100) {
    exchange.upload?.proceed();
    return;
  }
  if (++exchange.timesInformed > MOST_INFORMATIONAL) {
    throw new BadAnswer('the slot sent informational answers without end');
  }
  writeInformational(response, status, toVisitorFields(fields, known.connection, null));
  const { socket } = response;
  if (socket?.writableNeedDrain) pause(exchange, (goOn) => socket.once('drain', goOn));
}

/** @param release that has the answer, or `null` where that is not to be told */
export function passHead(
  exchange: ExchangeState,
  head: AnswerHead,
  release = exchange.context.release(exchange.slot),
): void {
  const { status, reason, fields: raw, known } = head;
  const { context, response } = exchange;
  exchange.phase = 'answering';
  exchange.seenWaiting = -1;
  if (context.stopping()) response.shouldKeepAlive = false;
  exchange.contentType = known['content-type'];
  const fields = toVisitorFields(
    raw,
    known.connection,
    release,
    context.ports[exchange.slot],
    exchange.head,
  );
  if (context.hsts !== null) addHsts(fields, context.hsts);
  if (exchange.fill !== null && !passToCache(exchange, exchange.fill, head, fields)) return;
  if (context.keepsInstance) rememberInstance(exchange, fields, raw);
  if (known.trailer !== undefined) dropVainTrailer(response, status, fields);
  const length = known['content-length'];
  beginAnswer(exchange, status, reason, fields, length === undefined ? -1 : Number(length));
}

/** @param length of the body in bytes, also of one that a HEAD does not get; -1 when it is not known */
function beginAnswer(
  exchange: ExchangeState,
  status: number,
  reason: string,
  fields: string[],
  length: number,
): void {
  const { context, method, response, requestHeaders: requestFields } = exchange;
  const isHead = method === 'HEAD';
  const { compression } = context;
  const out = compression?.outgoing({ method, requestFields, status, fields, length });
  const isNotModified = out?.how === 'not-modified';
  const code = isNotModified ? 304 : status;
  countAnswer(exchange.traffic, code, performance.now() - exchange.startedAt);
  if (compression == null || out === undefined || out.how === 'plain') {
    exchange.answer = new Answer(
      response,
      status,
      reason,
      out?.fields ?? fields,
      isHead ? -1 : length,
    );
    return;
  }
  if (isNotModified) exchange.encoder = toNobody(exchange);
  else if (!isHead) exchange.encoder = compression.encoder(out.coding, toVisitor(exchange));
  exchange.answer = new Answer(
    response,
    code,
    isNotModified ? 'Not Modified' : reason,
    out.fields,
    -1,
  );
}

/** @returns whether the slot's answer goes on to the visitor */
function passToCache(
  exchange: ExchangeState,
  fill: Fill,
  head: AnswerHead,
  fields: string[],
): boolean {
  const served = fill.begin(exchange.slot, head, fields);
  if (served === null) {
    if (fill.status !== null) fields.push('Cache-Status', fill.status);
    return true;
  }
  // A 304 has no body, so that the connection may be used again once it is over.
  if (head.status === 304) exchange.standIn = served;
  else answerStored(exchange, served);
  return false;
}

/** From memory, in place of an answer of the slot. */
export function answerStored(exchange: ExchangeState, served: ServedStored): void {
  const { request, response, requestHeaders, connection } = exchange;
  exchange.phase = 'answering';
  exchange.standIn = null;
  exchange.fill = null;
  exchange.connection = null;
  connection?.abandon(exchange);
  leavePlace(exchange);
  countAnswer(exchange.traffic, served.stored.status, performance.now() - exchange.startedAt);
  if (exchange.context.stopping()) response.shouldKeepAlive = false;
  serveStored(request, response, requestHeaders, served, exchange.context.compression, Date.now());
}

/** Tells the visitor which instance has answered, so that the next request names it. */
function rememberInstance(exchange: ExchangeState, fields: string[], raw: readonly string[]): void {
  const { instance, wantedInstance, request } = exchange;
  const at = raw.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'cache-control');
  const encrypted = 'encrypted' in connectionOf(request);
  const cookie = affinityCookie(
    instance,
    wantedInstance,
    encrypted,
    at < 0 ? undefined : raw[at + 1],
  );
  if (cookie !== null) fields.push('Set-Cookie', cookie);
}

export function passBody(exchange: ExchangeState, bytes: Buffer): void {
  const { encoder, response } = exchange;
  if (encoder !== null) {
    if (!encoder.write(bytes)) pause(exchange, (goOn) => encoder.onRoom(goOn));
    return;
  }
  const takesMore = (exchange.answer as Answer).write(bytes);
  if (!takesMore) pause(exchange, (goOn) => onDrain(response, goOn));
  else if (response.writableLength === 0) exchange.waitingPieces = 0;
  else if (++exchange.waitingPieces >= MOST_WAITING_PIECES) {
    pause(exchange, (goOn) => whenTaken(response, goOn));
  }
}

export function endBody({ encoder, answer }: ExchangeState): void {
  if (encoder !== null) encoder.end();
  else answer?.end();
}

/** Reads no more from the slot until the visitor has taken what waits. */
function pause(exchange: ExchangeState, whenTaken: (goOn: () => void) => void): void {
  if (exchange.isPaused) return;
  exchange.isPaused = true;
  exchange.connection?.pause(exchange);
  whenTaken(() => {
    exchange.isPaused = false;
    exchange.waitingPieces = 0;
    exchange.connection?.readOn(exchange);
  });
}

/** An event stream ends properly, since it has no other end; anything else must not look complete. */
export function cutAnswer({ response, contentType }: ExchangeState): void {
  if (EVENT_STREAM.test(String(contentType))) cutStream(response);
  else breakOff(response);
}
