import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Slot } from '../../slots/slot.ts';
import type { Traffic } from '../../wire/messages.ts';
import type { Logged } from '../metrics/access-log.ts';
import { countAnswer } from '../metrics/counters.ts';
import { toStrings, toTrailers, toVisitorFields } from '../request/fields.ts';
import { wasRefused, wasUsedConnectionLost } from '../slot/failure.ts';
import { Answer } from '../visitor/answer.ts';
import { BUSY, type ErrorAnswer } from '../visitor/error-answer.ts';
import { linger } from '../visitor/linger.ts';
import {
  addTrailers,
  breakOff,
  cutStream,
  dropVainTrailer,
  hasBody,
  isSentWhole,
  writeInformational,
} from '../visitor/visitor.ts';
import type { ExchangeContext } from './context.ts';
import { explainSlotFault, explainVisitorFault } from './explain.ts';
import type { AwaitsHead } from './head-watch.ts';
import type { PlaceOwner } from './limiter.ts';
import type { LiveSetMember } from './live-set.ts';
import { retrySlot } from './retry.ts';
import { createUpload } from './upload.ts';

const EVENT_STREAM = /^text\/event-stream\b/i;

/**
 * One request on its way to a slot and back: the handler that is called as undici does, whichever way it goes.
 *
 * A class, since one is made for each request and V8 shares its shape.
 */
export class Exchange
  implements Dispatcher.DispatchHandler, PlaceOwner, Logged, LiveSetMember, AwaitsHead
{
  liveIndex = -1;
  seenWaiting = -1;
  slot: Slot;
  readonly #context: ExchangeContext;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Fields as the slot gets them. */
  readonly headers: string[];
  /** `performance.now()` at the request's head. */
  readonly startedAt = performance.now();
  readonly #path: string;
  readonly #hasBody: boolean;
  #traffic: Traffic;
  #controller: Dispatcher.DispatchController | null = null;
  /** Whether any byte of an answer has come. */
  #answered = false;
  #answer: Answer | null = null;
  #contentType: string | string[] | undefined;
  #retried = false;
  #refused = false;
  #gone = false;
  #outside = false;

  /** @param headers as the slot is to get them */
  constructor(
    context: ExchangeContext,
    request: IncomingMessage,
    response: ServerResponse,
    slot: Slot,
    path: string,
    headers: string[],
  ) {
    this.#context = context;
    this.request = request;
    this.response = response;
    this.#path = path;
    this.headers = headers;
    this.slot = slot;
    this.#traffic = context.traffic[slot];
    this.#hasBody = hasBody(request);
  }

  begin(): void {
    this.#context.inflight.enter(this.slot);
    this.#context.limiters[this.slot].enter(this);
  }

  /** The response has closed, finished or not: the one place where an exchange ends. */
  end(): void {
    const { limiters, inflight } = this.#context;
    if (!this.#outside) limiters[this.slot].leave(this);
    inflight.leave(this.slot);
    if (isSentWhole(this.response)) return;
    this.#gone = true;
    // The visitor has gone: the slot should not work for nobody.
    this.giveUp(new Error('the client closed the connection'));
  }

  giveUp(reason: Error): void {
    this.#controller?.abort(reason);
  }

  /** The drain's limit is reached: an event stream ends properly, anything else must not look complete. */
  cut(): void {
    if (EVENT_STREAM.test(String(this.#contentType))) cutStream(this.response);
    else breakOff(this.response);
    this.giveUp(new Error('the drain reached its limit'));
  }

  admitted(over: 'kept' | 'new' = 'kept'): void {
    const { limits, slotClients } = this.#context;
    slotClients[this.slot].dispatch(
      {
        path: this.#path,
        method: this.request.method as Dispatcher.HttpMethod,
        headers: this.headers,
        body: this.#hasBody ? createUpload(this.request, this.response, limits) : null,
      },
      this,
      this.request,
      over,
    );
  }

  turnedAway(): void {
    this.#outside = true;
    this.#answerError(BUSY);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.seenWaiting = this.#hasBody ? -1 : 0;
    if (this.#gone) controller.abort(new Error('the client closed the connection'));
  }

  onResponseStarted(): void {
    this.#answered = true;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    statusMessage?: string,
  ): void {
    const response = this.response;
    const context = this.#context;
    const { connection } = headers;
    const raw = toStrings(controller.rawHeaders as Buffer[] | string[]);
    if (status < 200) {
      if (this.seenWaiting > 0) this.seenWaiting = 0;
      writeInformational(response, status, toVisitorFields(raw, connection, null));
      return;
    }
    this.seenWaiting = -1;
    countAnswer(this.#traffic, status, performance.now() - this.startedAt);
    if (context.stopping()) response.shouldKeepAlive = false;
    const length = headers['content-length'];
    const hasLength = typeof length === 'string' && this.request.method !== 'HEAD';
    this.#contentType = headers['content-type'];
    const fields = toVisitorFields(raw, connection, context.release(this.slot));
    if (headers.trailer !== undefined) dropVainTrailer(response, status, fields);
    this.#answer = new Answer(
      response,
      status,
      statusMessage ?? '',
      fields,
      hasLength ? Number(length) : -1,
    );
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const response = this.response;
    if (this.#answer?.write(chunk)) return;
    controller.pause();
    response.once('drain', () => controller.resume());
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    const raw = controller.rawTrailers as Buffer[] | string[] | null | undefined;
    if (raw && raw.length > 0) addTrailers(this.response, toTrailers(toStrings(raw)));
    this.#answer?.end();
    if (this.#hasBody) linger(this.request);
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    const response = this.response;
    this.seenWaiting = -1;
    this.#controller = null;
    if (this.#gone) return;
    // Once the head is out nothing can be taken back: the broken connection is the message.
    if (response.headersSent) {
      if (!response.writableEnded) breakOff(response);
      return;
    }
    const next = retrySlot(
      this.#failedAttempt(error),
      this.slot,
      this.#context.fallback(this.slot),
    );
    if (next === null) this.#answerError(this.#explain(error));
    else this.#sendAgain(next);
  }

  #failedAttempt(error: Error) {
    return {
      method: this.request.method,
      hasBody: this.#hasBody,
      retried: this.#retried,
      refusedBefore: this.#refused,
      refused: wasRefused(error),
      idleConnectionLost: !this.#answered && wasUsedConnectionLost(error),
    };
  }

  #sendAgain(to: Slot): void {
    const { counters, limiters, inflight } = this.#context;
    this.#answered = false;
    if (to === this.slot) {
      this.#retried = true;
      counters.retries++;
      // What became of one idle connection can have become of all of them.
      this.admitted('new');
      return;
    }
    this.#refused = true;
    counters.failovers++;
    limiters[this.slot].leave(this);
    inflight.enter(to);
    inflight.leave(this.slot);
    this.slot = to;
    this.#traffic = this.#context.traffic[to];
    limiters[to].enter(this);
  }

  /** What is the visitor's own doing is not counted against the slot. */
  #explain(error: Error): ErrorAnswer {
    const own = explainVisitorFault(error);
    if (own) return own;
    this.#context.counters.upstreamErrors[this.slot]++;
    return explainSlotFault(error);
  }

  #answerError(answer: ErrorAnswer): void {
    countAnswer(this.#traffic, answer.status, performance.now() - this.startedAt);
    if (this.#context.stopping()) this.response.shouldKeepAlive = false;
    this.#context.errors.send(this.request, this.response, answer);
  }
}
