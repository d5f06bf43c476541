import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { toTrailers } from '../request/fields.ts';
import { expectsContinue } from '../visitor/visitor.ts';
import { connectSlot } from './connect.ts';
import { AnswerTimeout } from './failure.ts';

/** How long a slot may leave open whether it wants a body that the visitor asks about, in milliseconds. */
const CONTINUE_WAIT_MS = 1000;

export interface DispatchLimits {
  connectTimeoutMs: number;
  /** For the answer's head. */
  headersTimeoutMs: number;
  /** Between two pieces of the answer's body. 0: none. */
  bodyTimeoutMs: number;
}

/**
 * What undici has no way to send: `OPTIONS *` (RFC 9112 §3.2.4) with a body, a body with trailers, and a question
 * whether a body is wanted (RFC 9110 §10.1.1).
 */
export function needsNode(incoming: IncomingMessage, path: string): boolean {
  const { headers } = incoming;
  return (
    path === '*' ||
    (headers.trailer !== undefined && headers['content-length'] === undefined) ||
    (headers.expect !== undefined && expectsContinue(incoming))
  );
}

/** Sends one request over node:http, on a connection of its own, and calls a handler as undici would. */
export function dispatchByNode(
  port: number,
  options: Dispatcher.DispatchOptions,
  handler: Dispatcher.DispatchHandler,
  incoming: IncomingMessage,
  limits: DispatchLimits,
): void {
  const body = options.body as Readable | null;
  const asks = body !== null && expectsContinue(incoming);
  const outgoing = request({
    method: options.method,
    path: options.path,
    headers: toFields(options.headers as string[], body !== null, asks, incoming),
    createConnection: (_options, connected) => {
      const { connectTimeoutMs } = limits;
      connectSlot(port, connectTimeoutMs, new Socket({ noDelay: true }), (error, socket) =>
        connected(error, socket as Socket),
      );
      return undefined;
    },
  });
  const controller = createController(outgoing);
  let failed = false;
  const fail = (error: Error) => {
    if (failed) return;
    failed = true;
    body?.destroy();
    handler.onResponseError?.(controller, controller.reason ?? error);
  };
  outgoing.on('error', fail);
  outgoing.on('information', ({ statusCode, headers, rawHeaders }) => {
    // Whether the visitor gets a 100 is the upload's business.
    if (statusCode === 100) return;
    controller.rawHeaders = rawHeaders;
    handler.onResponseStart?.(controller, statusCode, headers as never);
  });
  outgoing.on('response', (answer) => {
    relayAnswer(answer, controller, handler, limits.bodyTimeoutMs, fail);
    // What the slot did not wait for it does not get any more.
    answer.on('end', () => body?.destroy());
  });
  const moved = limitWait(outgoing, body, limits.headersTimeoutMs);
  handler.onRequestStart?.(controller, null);
  if (body) sendBody(body, outgoing, incoming, asks, moved);
  else outgoing.end();
}

function toFields(
  given: readonly string[],
  hasBody: boolean,
  asks: boolean,
  incoming: IncomingMessage,
): string[] {
  const chunked = hasBody && incoming.headers['content-length'] === undefined;
  const fields: string[] = [];
  for (let i = 0; i < given.length; i += 2) {
    const name = given[i] as string;
    // Node throws when trailers are announced that cannot follow.
    if (chunked || name.toLowerCase() !== 'trailer') fields.push(name, given[i + 1] as string);
  }
  fields.push('Connection', 'close');
  if (chunked) fields.push('Transfer-Encoding', 'chunked');
  if (asks) fields.push('Expect', '100-continue');
  return fields;
}

/** Not before there is a connection: a body that has been read cannot be sent to the other slot. */
function sendBody(
  body: Readable,
  outgoing: ClientRequest,
  incoming: IncomingMessage,
  asks: boolean,
  moved: () => void,
): void {
  body.on('error', (error) => outgoing.destroy(error));
  body.on('end', () => {
    outgoing.addTrailers(toTrailers(incoming.rawTrailers));
    outgoing.end();
  });
  let sending = false;
  const send = () => {
    if (sending || body.destroyed) return;
    sending = true;
    body.pipe(outgoing, { end: false });
    body.on('data', moved);
  };
  outgoing.on('socket', () => {
    if (!asks) {
      send();
      return;
    }
    const timer = setTimeout(send, CONTINUE_WAIT_MS);
    outgoing.on('continue', send);
    outgoing.on('response', () => clearTimeout(timer));
    outgoing.on('close', () => clearTimeout(timer));
  });
}

/**
 * Gives up on an answer's head, but not while the visitor is what the slot waits for.
 *
 * @returns is to be called for each piece of the body
 */
function limitWait(outgoing: ClientRequest, body: Readable | null, timeoutMs: number): () => void {
  const expire = () => {
    const waitsForVisitor = body !== null && !body.readableEnded && !outgoing.writableNeedDrain;
    if (waitsForVisitor) timer.refresh();
    else outgoing.destroy(new AnswerTimeout());
  };
  const timer = setTimeout(expire, timeoutMs);
  outgoing.on('response', () => clearTimeout(timer));
  outgoing.on('close', () => clearTimeout(timer));
  return () => timer.refresh();
}

interface Controller extends Dispatcher.DispatchController {
  answer: IncomingMessage | null;
}

function relayAnswer(
  answer: IncomingMessage,
  controller: Controller,
  handler: Dispatcher.DispatchHandler,
  idleTimeoutMs: number,
  fail: (error: Error) => void,
): void {
  controller.answer = answer;
  controller.rawHeaders = answer.rawHeaders;
  handler.onResponseStarted?.();
  handler.onResponseStart?.(
    controller,
    answer.statusCode as number,
    answer.headers as never,
    answer.statusMessage,
  );
  const expire = () => {
    if (controller.paused) timer?.refresh();
    else answer.destroy(new AnswerTimeout());
  };
  const timer = idleTimeoutMs > 0 ? setTimeout(expire, idleTimeoutMs) : null;
  answer.on('close', () => clearTimeout(timer ?? undefined));
  answer.on('data', (chunk: Buffer) => {
    timer?.refresh();
    handler.onResponseData?.(controller, chunk);
  });
  answer.on('error', fail);
  answer.on('end', () => {
    controller.rawTrailers = answer.rawTrailers;
    handler.onResponseEnd?.(controller, {});
  });
}

function createController(outgoing: ClientRequest): Controller {
  let paused = false;
  let reason: Error | null = null;
  return {
    answer: null,
    get paused() {
      return paused;
    },
    get aborted() {
      return reason !== null;
    },
    get reason() {
      return reason;
    },
    abort(why) {
      reason ??= why;
      outgoing.destroy(why);
    },
    pause() {
      paused = true;
      this.answer?.pause();
    },
    resume() {
      paused = false;
      this.answer?.resume();
    },
  };
}
