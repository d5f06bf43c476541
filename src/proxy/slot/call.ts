import type { Dispatcher } from 'undici';
import type { AnswerHead } from './answer-head.ts';
import type { AnswerSink } from './answer-reader.ts';
import { copyOut } from './read-buffer.ts';

/** A request without a body. */
export interface SlotRequest {
  method: string;
  /** All of its head, as it goes over the wire. */
  head: string;
  /** Is called as undici calls it, and with strings for raw fields. */
  handler: Dispatcher.DispatchHandler;
}

/** What a request goes over. */
export interface CallConnection {
  /** Gives up the request, if it is still this one. */
  abandon(call: Call, reason: Error): void;
  /** Reads on after a pause, if it is still for this request. */
  readOn(call: Call): void;
}

/** One request on its way to the slot and back: hands its answer to its handler, who can stop it here. */
export class Call implements Dispatcher.DispatchController, AnswerSink {
  rawHeaders: string[] | null = null;
  rawTrailers: string[] | null = null;
  paused = false;
  reason: Error | null = null;
  readonly request: SlotRequest;
  readonly #connection: CallConnection;
  #begun = false;

  constructor(connection: CallConnection, request: SlotRequest) {
    this.#connection = connection;
    this.request = request;
  }

  get aborted(): boolean {
    return this.reason !== null;
  }

  abort(reason: Error): void {
    this.reason ??= reason;
    this.#connection.abandon(this, reason);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#connection.readOn(this);
  }

  start(): void {
    this.request.handler.onRequestStart?.(this, null);
  }

  /** Some bytes have come. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.request.handler.onResponseStarted?.();
  }

  onHead({ status, reason, fields, known }: AnswerHead): void {
    this.rawHeaders = fields;
    this.request.handler.onResponseStart?.(this, status, known as never, reason);
  }

  onData(from: number, to: number): void {
    this.request.handler.onResponseData?.(this, copyOut(from, to));
  }

  end(trailers: string[]): void {
    this.rawTrailers = trailers;
    this.request.handler.onResponseEnd?.(this, {});
  }

  fail(error: Error): void {
    this.request.handler.onResponseError?.(this, error);
  }
}
