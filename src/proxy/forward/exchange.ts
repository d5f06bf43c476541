import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Slot } from '../../slots/slot.ts';
import type { Traffic } from '../../wire/messages.ts';
import type { Logged } from '../metrics/access-log.ts';
import { countAnswer } from '../metrics/counters.ts';
import { toTrailers, toVisitorFields } from '../request/fields.ts';
import { sendSoon, type Waiting } from '../send-soon.ts';
import { type AnswerHead, BadAnswer } from '../slot/answer-head.ts';
import type { CallConnection, SlotCall } from '../slot/call.ts';
import type { Over } from '../slot/connections.ts';
import { wasLost, wasRefused } from '../slot/failure.ts';
import { requestHead } from '../slot/request-head.ts';
import { Answer } from '../visitor/answer.ts';
import { BUSY, type ErrorAnswer } from '../visitor/error-answer.ts';
import { linger } from '../visitor/linger.ts';
import {
  addTrailers,
  breakOff,
  cutStream,
  dropVainTrailer,
  hasBody,
  writeInformational,
} from '../visitor/visitor.ts';
import type { ExchangeContext } from './context.ts';
import { explainSlotFault, explainVisitorFault } from './explain.ts';
import type { AwaitsHead } from './head-watch.ts';
import type { PlaceOwner } from './limiter.ts';
import type { LiveSetMember } from './live-set.ts';
import { retrySlot } from './retry.ts';
import { Upload, type UploadSink } from './upload.ts';

/** `queued`: for a place or a connection. `answering`: the visitor has an answer's head, or is just getting it. */
export type Phase = 'queued' | 'sent' | 'answering' | 'over';

/** A place in the limiter of the exchange's slot. */
export type Place = 'none' | 'wanted' | 'held';

const EVENT_STREAM = /^text\/event-stream\b/i;

/** Pieces of an answer that may wait for the visitor: small ones take more memory than their bytes. */
const MOST_WAITING_PIECES = 256;

/** More informational answers to one request are a fault: no window slows them down, and they hold off the time limit. */
const MOST_INFORMATIONAL = 64;

/**
 * One request on its way to a slot and back.
 *
 * A class, since one is made for each request and V8 shares its shape. What is called from outside catches what is
 * thrown below it: an exception ends this exchange, never the process.
 */
export class Exchange
  implements SlotCall, PlaceOwner, UploadSink, Waiting, Logged, LiveSetMember, AwaitsHead
{
  liveIndex = -1;
  seenWaiting = -1;
  phase: Phase = 'queued';
  place: Place = 'none';
  slot: Slot;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  head = '';
  /** Fields as the slot gets them. */
  readonly headers: string[];
  /** `performance.now()` at the request's head. */
  readonly startedAt = performance.now();
  readonly #context: ExchangeContext;
  readonly #path: string;
  readonly #onOver: (exchange: Exchange) => void;
  readonly #upload: Upload | null;
  #traffic: Traffic;
  #connection: CallConnection | null = null;
  #over: Over = 'kept';
  #answer: Answer | null = null;
  #contentType: string | undefined;
  #waitingPieces = 0;
  #isPaused = false;
  /** How often the request was sent. */
  #timesSent = 0;
  #refusedBefore = false;
  /** How many informational answers have come. */
  #timesInformed = 0;

  /**
   * @param headers as the slot is to get them
   * @param onOver is called once, when the exchange is over
   */
  constructor(
    context: ExchangeContext,
    request: IncomingMessage,
    response: ServerResponse,
    slot: Slot,
    path: string,
    headers: string[],
    onOver: (exchange: Exchange) => void,
  ) {
    this.#context = context;
    this.request = request;
    this.response = response;
    this.method = request.method as string;
    this.#path = path;
    this.headers = headers;
    this.slot = slot;
    this.#traffic = context.traffic[slot];
    this.#onOver = onOver;
    this.#upload = hasBody(request) ? new Upload(request, response, context.limits, this) : null;
  }

  begin(): void {
    this.#context.inflight.enter(this.slot);
    this.#enter();
  }

  /** Ends the exchange, once: whatever the reason, nothing of it is left. */
  end(): void {
    if (this.phase === 'over') return;
    this.phase = 'over';
    this.seenWaiting = -1;
    this.#context.inflight.leave(this.slot);
    this.#leave();
    this.#upload?.stop();
    // The visitor has the answer, or has gone: the slot should not work for nobody.
    this.#abandon();
    this.#onOver(this);
  }

  /** The slot does not answer, or is to be left: what the visitor has is broken off. */
  giveUp(reason: Error): void {
    this.#abandon();
    this.onFailure(reason);
  }

  /** The drain's limit is reached: an event stream ends properly, anything else must not look complete. */
  cut(): void {
    try {
      this.#abandon();
      this.#upload?.stop();
      if (EVENT_STREAM.test(String(this.#contentType))) cutStream(this.response);
      else breakOff(this.response);
    } catch (error) {
      this.#collapse(error);
    }
  }

  // Of the limiter.

  admitted(): void {
    this.place = 'held';
    sendSoon(this);
  }

  turnedAway(): void {
    this.place = 'none';
    try {
      this.#answerError(BUSY);
    } catch (error) {
      this.#collapse(error);
    }
  }

  sendNow(): void {
    if (this.phase !== 'queued') return;
    const upload = this.#upload;
    try {
      const framing = upload === null ? 'none' : upload.framing;
      const asks = upload?.asks ?? false;
      this.head = requestHead(this.method, this.#path, this.headers, framing, asks);
    } catch (error) {
      this.onFailure(error as Error);
      return;
    }
    this.#context.slotClients[this.slot].send(this, this.#over);
  }

  // Of the connection.

  get isWhollySent(): boolean {
    return this.#upload === null || this.#upload.isWhollySent;
  }

  onSent(connection: CallConnection): boolean {
    if (this.phase !== 'queued') return false;
    this.phase = 'sent';
    this.#connection = connection;
    this.#timesSent++;
    this.seenWaiting = 0;
    return true;
  }

  onWritable(): void {
    try {
      if (this.#upload?.isWaiting) this.#upload.begin(this.head);
      else this.#upload?.writable();
    } catch (error) {
      this.#collapse(error);
    }
  }

  onHead(head: AnswerHead): void {
    try {
      if (head.status < 200) this.#inform(head);
      else this.#answerWith(head);
    } catch (error) {
      this.giveUp(error as Error);
    }
  }

  onData(bytes: Buffer): void {
    try {
      this.#pass(bytes);
    } catch (error) {
      this.#collapse(error);
    }
  }

  onEnd(trailers: string[]): void {
    this.#connection = null;
    try {
      if (trailers.length > 0) addTrailers(this.response, toTrailers(trailers));
      this.#upload?.stop();
      this.#answer?.end();
      if (this.#upload !== null) linger(this.request);
    } catch (error) {
      this.#collapse(error);
    }
  }

  onFailure(error: Error): void {
    this.#connection = null;
    this.seenWaiting = -1;
    if (this.phase === 'over') return;
    try {
      this.#fail(error);
    } catch (fault) {
      this.#collapse(fault);
    }
  }

  // Of the upload.

  send(bytes: Buffer): boolean {
    return this.#connection?.write(this, bytes) ?? true;
  }

  waitsFor(side: 'slot' | 'visitor'): void {
    if (this.phase === 'sent') this.seenWaiting = side === 'slot' ? 0 : -1;
  }

  failed(error: Error): void {
    this.giveUp(error);
  }

  #inform({ status, fields, known }: AnswerHead): void {
    if (this.seenWaiting > 0) this.seenWaiting = 0;
    // Whether the visitor gets a 100 is the upload's business.
    if (status === 100) {
      this.#upload?.proceed();
      return;
    }
    if (++this.#timesInformed > MOST_INFORMATIONAL) {
      throw new BadAnswer('the slot sent informational answers without end');
    }
    writeInformational(this.response, status, toVisitorFields(fields, known.connection, null));
    const { socket } = this.response;
    if (socket?.writableNeedDrain) this.#pause((goOn) => socket.once('drain', goOn));
  }

  #answerWith({ status, reason, fields: raw, known }: AnswerHead): void {
    const { response } = this;
    const context = this.#context;
    this.phase = 'answering';
    this.seenWaiting = -1;
    countAnswer(this.#traffic, status, performance.now() - this.startedAt);
    if (context.stopping()) response.shouldKeepAlive = false;
    this.#contentType = known['content-type'];
    const fields = toVisitorFields(raw, known.connection, context.release(this.slot));
    if (known.trailer !== undefined) dropVainTrailer(response, status, fields);
    const length = this.method === 'HEAD' ? undefined : known['content-length'];
    const bytes = length === undefined ? -1 : Number(length);
    this.#answer = new Answer(response, status, reason, fields, bytes);
  }

  #pass(bytes: Buffer): void {
    const { response } = this;
    const takesMore = (this.#answer as Answer).write(bytes);
    if (!takesMore) this.#pause((goOn) => response.once('drain', goOn));
    else if (response.writableLength === 0) this.#waitingPieces = 0;
    else if (++this.#waitingPieces >= MOST_WAITING_PIECES) {
      // `drain` is only for those who were told to wait; an empty piece is written when all before it are.
      this.#pause((goOn) => response.write('', goOn));
    }
  }

  /** Reads no more from the slot until the visitor has taken what waits. */
  #pause(whenTaken: (goOn: () => void) => void): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#connection?.pause(this);
    whenTaken(() => {
      this.#isPaused = false;
      this.#waitingPieces = 0;
      this.#connection?.readOn(this);
    });
  }

  #fail(error: Error): void {
    const { response } = this;
    // Once the head is out nothing can be taken back: the broken connection is the message.
    if (response.headersSent) {
      if (!response.writableEnded) breakOff(response);
      return;
    }
    const next = this.#next(error);
    if (next === null) this.#answerError(this.#explain(error));
    else this.#sendAgain(next);
  }

  #next(error: Error): Slot | null {
    if (this.phase === 'answering' || this.#timesInformed > 0) return null;
    const attempt = {
      method: this.method,
      hasBody: this.#upload !== null,
      refused: wasRefused(error),
      lost: wasLost(error),
      sentBefore: this.#timesSent > 1,
      refusedBefore: this.#refusedBefore,
    };
    return retrySlot(attempt, this.slot, this.#context.fallback(this.slot));
  }

  #sendAgain(to: Slot): void {
    const { counters, inflight, traffic } = this.#context;
    this.phase = 'queued';
    if (to === this.slot) {
      counters.retries++;
      // What became of one idle connection can have become of all of them.
      this.#over = 'new';
      sendSoon(this);
      return;
    }
    this.#refusedBefore = true;
    counters.failovers++;
    this.#leave();
    inflight.enter(to);
    inflight.leave(this.slot);
    this.slot = to;
    this.#traffic = traffic[to];
    this.#enter();
  }

  /** What is the visitor's own doing is not counted against the slot. */
  #explain(error: Error): ErrorAnswer {
    const own = explainVisitorFault(error);
    if (own) return own;
    this.#context.counters.upstreamErrors[this.slot]++;
    return explainSlotFault(error);
  }

  #answerError(answer: ErrorAnswer): void {
    this.phase = 'answering';
    // The slot has no more to do with it, however long the visitor takes to read this.
    this.#leave();
    this.#upload?.stop();
    countAnswer(this.#traffic, answer.status, performance.now() - this.startedAt);
    if (this.#context.stopping()) this.response.shouldKeepAlive = false;
    this.#context.errors.send(this.request, this.response, answer);
  }

  #enter(): void {
    this.place = 'wanted';
    this.#context.limiters[this.slot].enter(this);
  }

  #leave(): void {
    if (this.place === 'none') return;
    this.place = 'none';
    this.#context.limiters[this.slot].leave(this);
  }

  #abandon(): void {
    const connection = this.#connection;
    this.#connection = null;
    connection?.abandon(this);
  }

  /** The guard: whatever has been thrown, only this exchange ends. */
  #collapse(error: unknown): void {
    this.#context.onFault(error as Error);
    this.#abandon();
    try {
      breakOff(this.response);
    } catch {
      this.request.destroy();
    }
    this.end();
  }
}
