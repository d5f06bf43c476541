import type { IncomingMessage } from 'node:http';
import { afterReading } from '../../after-reading.ts';
import { toTrailers } from '../request/fields.ts';
import { sendSoon, type Waiting } from '../send-soon.ts';
import { type BodyFraming, fieldLines } from '../slot/request-head.ts';
import type { ServedResponse } from '../visitor/kinds.ts';
import { expectsContinue, isBrokenOff } from '../visitor/request.ts';

/** A request's body is larger than `proxy.limits.bodyBytes`. */
export class BodyTooLarge extends Error {}

/** A visitor stopped sending in the middle of a body. */
export class BodyStalled extends Error {}

/** A body is not as long as its Content-Length says, which HTTP/1.1's parser never lets through. */
export class BodyLengthWrong extends Error {}

/** A visitor has gone in the middle of a body. */
export class VisitorGone extends Error {
  constructor() {
    super('the visitor has closed the connection');
  }
}

/** The receiver of a body, which is also told how the upload goes. */
export interface UploadSink {
  /** @returns whether more is taken at once; `writable()` of the upload is called when it is again */
  send(bytes: Buffer): boolean;
  /** For the limit on the slot's silence: it is the slot's turn, or the visitor's. */
  waitsFor(side: 'slot' | 'visitor'): void;
  failed(error: Error): void;
}

export interface UploadLimits {
  bodyBytes: number;
  bodyIdleTimeoutMs: number;
}

/** How long a slot may leave open whether it wants a body that the visitor asks about, in milliseconds. */
const CONTINUE_WAIT_MS = 1000;

/** A body is sent on at the end of the event loop's turn, or as soon as so many bytes have come. */
const MOST_GATHERED = 65_536;

/** `waiting`: nothing has been read of the body, so that another slot can be given all of it. */
type Phase = 'waiting' | 'asking' | 'reading' | 'over';

/** A request's body on its way to a slot: its head goes along with what is there of it. */
export class Upload implements Waiting {
  readonly #request: IncomingMessage;
  readonly #response: ServedResponse;
  readonly #limits: UploadLimits;
  readonly #framing: BodyFraming;
  readonly #sink: UploadSink;
  #phase: Phase = 'waiting';
  /** The request's head, until it is sent. */
  #head = '';
  #pieces: Buffer[] = [];
  #gathered = 0;
  #received = 0;
  #isSendingSoon = false;
  /** The body was given up before its end. */
  #isCut = false;
  /** Node's timeout has gone off while the slot was what we waited for. */
  #stoodStill = false;
  #continueTimer: NodeJS.Timeout | null = null;

  constructor(
    request: IncomingMessage,
    response: ServedResponse,
    limits: UploadLimits,
    sink: UploadSink,
  ) {
    this.#request = request;
    this.#response = response;
    this.#limits = limits;
    this.#sink = sink;
    this.#framing = request.headers['content-length'] === undefined ? 'chunked' : 'length';
    request.on('close', this.#onClose);
    request.setTimeout(limits.bodyIdleTimeoutMs, this.#onStandstill);
  }

  get framing(): BodyFraming {
    return this.#framing;
  }

  /** Whether the slot is to say first if it wants the body. */
  get asks(): boolean {
    return expectsContinue(this.#request);
  }

  get isWhollySent(): boolean {
    return this.#phase === 'over' && !this.#isCut;
  }

  get isWaiting(): boolean {
    return this.#phase === 'waiting';
  }

  /** Sends the head, and the body if nobody has to be asked whether it is wanted. */
  begin(head: string): void {
    this.#head = head;
    this.#sendSoon();
    if (this.asks) {
      this.#phase = 'asking';
      this.#sink.waitsFor('slot');
      this.#continueTimer = setTimeout(() => this.proceed(), CONTINUE_WAIT_MS);
    } else this.#read();
  }

  /** The slot wants the body, or has not said so for a while. */
  proceed(): void {
    if (this.#phase !== 'asking') return;
    this.#clearContinueTimer();
    // Only now does anybody want the body: a request that is refused before needs no 100.
    if (!this.#response.headersSent) this.#response.writeContinue();
    this.#read();
  }

  /** No more of the body is read or sent. */
  stop(): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#isCut = true;
    this.#clearContinueTimer();
    const request = this.#request;
    request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    request.off('timeout', this.#onStandstill);
    this.#head = '';
    this.#pieces = [];
    this.#gathered = 0;
  }

  /** The slot takes bytes again. */
  writable(): void {
    if (this.#phase === 'reading') this.#readOn();
  }

  sendNow(): void {
    this.#isSendingSoon = false;
    this.#flush(false);
  }

  failed(error: Error): void {
    this.#fail(error);
  }

  #read(): void {
    this.#phase = 'reading';
    this.#request.on('data', this.#onData).on('end', this.#onEnd);
    this.#readOn();
  }

  #readOn(): void {
    this.#sink.waitsFor('visitor');
    if (this.#stoodStill) {
      // From here on it is the visitor's time again.
      this.#stoodStill = false;
      this.#request.setTimeout(this.#limits.bodyIdleTimeoutMs);
    }
    this.#request.resume();
  }

  readonly #onData = (chunk: Buffer) => {
    this.#received += chunk.length;
    const { bodyBytes } = this.#limits;
    if (bodyBytes > 0 && this.#received > bodyBytes) return this.#fail(new BodyTooLarge());
    if (this.#framing === 'length' && this.#received > this.#length()) {
      return this.#fail(new BodyLengthWrong());
    }
    this.#pieces.push(chunk);
    this.#gathered += chunk.length;
    if (this.#gathered >= MOST_GATHERED) this.#flush(false);
    else this.#sendSoon();
  };

  #length(): number {
    return Number(this.#request.headers['content-length']);
  }

  readonly #onEnd = () => {
    if (isBrokenOff(this.#request)) return this.#fail(new VisitorGone());
    if (this.#framing === 'length' && this.#received !== this.#length()) {
      return this.#fail(new BodyLengthWrong());
    }
    this.#request.setTimeout(0);
    try {
      this.#flush(true);
    } catch (error) {
      return this.#fail(error as Error);
    }
    this.#phase = 'over';
    this.#sink.waitsFor('slot');
  };

  readonly #onClose = () => {
    if (!this.#request.complete || isBrokenOff(this.#request)) this.#fail(new VisitorGone());
  };

  readonly #onStandstill = () => {
    // A slot that reads slowly makes the visitor stand still too.
    if (this.#phase !== 'reading' || this.#request.isPaused()) {
      this.#stoodStill = true;
      return;
    }
    const received = this.#received;
    afterReading(() => {
      if (this.#received === received) this.#fail(new BodyStalled());
    });
  };

  #fail(error: Error): void {
    if (this.#phase === 'over') return;
    this.stop();
    this.#sink.failed(error);
  }

  #sendSoon(): void {
    if (this.#isSendingSoon) return;
    this.#isSendingSoon = true;
    sendSoon(this);
  }

  /**
   * Sends what is there in one piece: a visitor's many small chunks cost the slot no more than a large one.
   *
   * @throws InvalidRequest for trailers that cannot be written down
   */
  #flush(isLast: boolean): void {
    const isChunked = this.#framing === 'chunked';
    let before = this.#head;
    let after = '';
    if (isChunked && this.#gathered > 0) {
      before += `${this.#gathered.toString(16)}\r\n`;
      after = '\r\n';
    }
    if (isChunked && isLast) after += this.#lastChunk();
    if (before === '' && after === '' && this.#gathered === 0) return;
    const bytes = [Buffer.from(before, 'latin1'), ...this.#pieces, Buffer.from(after, 'latin1')];
    this.#head = '';
    this.#pieces = [];
    this.#gathered = 0;
    const takesMore = this.#sink.send(Buffer.concat(bytes));
    if (takesMore || isLast || this.#phase !== 'reading') return;
    this.#request.pause();
    this.#sink.waitsFor('slot');
  }

  #lastChunk(): string {
    return `0\r\n${fieldLines(toTrailers(this.#request.rawTrailers).flat())}\r\n`;
  }

  #clearContinueTimer(): void {
    if (this.#continueTimer !== null) clearTimeout(this.#continueTimer);
    this.#continueTimer = null;
  }
}
