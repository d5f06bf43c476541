import type { Slot } from '../../slots/slot.ts';
import type { Traffic } from '../../wire/messages.ts';
import type { Fill, ServedStored } from '../cache/fill.ts';
import type { BodyEncoder } from '../compress/encoder.ts';
import type { LiveSetMember } from '../live-set.ts';
import type { Logged } from '../metrics/access-log.ts';
import { wantedInstance } from '../request/affinity.ts';
import { toTrailers } from '../request/fields.ts';
import { sendSoon } from '../send-soon.ts';
import { answerKept } from '../skew/answer-kept.ts';
import type { AnswerHead } from '../slot/answer-head.ts';
import type { CallConnection } from '../slot/call.ts';
import type { Over } from '../slot/connections.ts';
import { ANY_INSTANCE } from '../slot/instances.ts';
import { requestHead } from '../slot/request-head.ts';
import type { Answer } from '../visitor/answer.ts';
import { BUSY } from '../visitor/error-answer.ts';
import type { ServedResponse, VisitorRequest, VisitorResponse } from '../visitor/kinds.ts';
import { linger } from '../visitor/linger.ts';
import { hasBody } from '../visitor/request.ts';
import { breakOff } from '../visitor/response.ts';
import {
  answerStored,
  cutAnswer,
  endBody,
  passBody,
  passHead,
  passInformational,
} from './answering.ts';
import type { ExchangeContext } from './context.ts';
import type { ExchangeState, Phase, Place } from './exchange-state.ts';
import { answerSlotFault, fail } from './failing.ts';
import { enterPlace, leavePlace } from './place.ts';
import { Upload, type UploadSink } from './upload.ts';

/**
 * One request on its way to a slot and back.
 *
 * A class, since one is made for each request and V8 shares its shape. What is called from outside catches what is
 * thrown below it: an exception ends this exchange, never the process.
 */
export class Exchange implements ExchangeState, UploadSink, Logged, LiveSetMember {
  liveIndex = -1;
  seenWaiting = -1;
  phase: Phase = 'queued';
  place: Place = 'none';
  slot: Slot;
  readonly request: VisitorRequest;
  readonly response: VisitorResponse;
  readonly method: string;
  head = '';
  readonly headers: string[];
  readonly requestHeaders: string[];
  readonly startedAt = performance.now();
  readonly context: ExchangeContext;
  readonly #path: string;
  readonly #onOver: (exchange: Exchange) => void;
  readonly upload: Upload | null;
  traffic: Traffic;
  connection: CallConnection | null = null;
  over: Over = 'kept';
  answer: Answer | null = null;
  encoder: BodyEncoder | null = null;
  fill: Fill | null;
  standIn: ServedStored | null = null;
  contentType: string | undefined;
  waitingPieces = 0;
  isPaused = false;
  timesSent = 0;
  refusedAt: number | null = null;
  timesInformed = 0;
  readonly wantedInstance: number;
  instance = ANY_INSTANCE;

  /**
   * @param headers as the slot is to get them
   * @param onOver is called once, when the exchange is over
   */
  constructor(
    context: ExchangeContext,
    request: VisitorRequest,
    response: VisitorResponse,
    slot: Slot,
    path: string,
    headers: string[],
    fill: Fill | null,
    onOver: (exchange: Exchange) => void,
  ) {
    this.context = context;
    this.request = request;
    this.response = response;
    this.method = request.method as string;
    this.#path = path;
    this.requestHeaders = headers;
    this.headers = fill?.headers ?? headers;
    this.fill = fill;
    this.slot = slot;
    this.traffic = context.traffic[slot];
    this.#onOver = onOver;
    this.wantedInstance = context.keepsInstance
      ? wantedInstance(request.headers.cookie)
      : ANY_INSTANCE;
    this.upload = hasBody(request)
      ? new Upload(request, response as ServedResponse, context.limits, this)
      : null;
  }

  begin(): void {
    this.context.inflight.enter(this.slot);
    enterPlace(this);
  }

  /** Ends the exchange, once: whatever the reason, nothing of it is left. */
  end(): void {
    if (this.phase === 'over') return;
    this.phase = 'over';
    this.seenWaiting = -1;
    this.context.inflight.leave(this.slot);
    leavePlace(this);
    this.upload?.stop();
    this.fill?.drop();
    this.encoder?.destroy();
    // The visitor has the answer, or has gone: the slot should not work for nobody.
    this.#abandon();
    this.#onOver(this);
  }

  /** The slot does not answer, or is to be left: what the visitor has is broken off. */
  giveUp(reason: Error): void {
    this.#abandon();
    this.onFailure(reason);
  }

  /** Ends what is open, since the drain's limit is reached. */
  cut(): void {
    try {
      this.#abandon();
      this.upload?.stop();
      cutAnswer(this);
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
      answerSlotFault(this, BUSY);
    } catch (error) {
      this.#collapse(error);
    }
  }

  sendNow(): void {
    if (this.phase !== 'queued') return;
    const upload = this.upload;
    try {
      const framing = upload === null ? 'none' : upload.framing;
      const asks = upload?.asks ?? false;
      this.head = requestHead(this.method, this.#path, this.headers, framing, asks);
    } catch (error) {
      this.onFailure(error as Error);
      return;
    }
    this.context.slotClients[this.slot].send(this, this.over);
  }

  // Of the connection.

  get isWhollySent(): boolean {
    return this.upload === null || this.upload.isWhollySent;
  }

  onSent(connection: CallConnection): boolean {
    if (this.phase !== 'queued') return false;
    this.phase = 'sent';
    this.connection = connection;
    this.timesSent++;
    this.seenWaiting = 0;
    return true;
  }

  isOn(connection: CallConnection): boolean {
    return this.connection === connection;
  }

  onWritable(): void {
    try {
      if (this.upload?.isWaiting) this.upload.begin(this.head);
      else this.upload?.writable();
    } catch (error) {
      this.#collapse(error);
    }
  }

  onHead(head: AnswerHead): void {
    try {
      if (head.status < 200) passInformational(this, head);
      else if (head.status !== 404 || !answerKept(this, this.#path, head)) passHead(this, head);
    } catch (error) {
      this.giveUp(error as Error);
    }
  }

  onData(bytes: Buffer): void {
    try {
      if (this.standIn !== null) return;
      this.fill?.data(bytes);
      passBody(this, bytes);
    } catch (error) {
      this.#collapse(error);
    }
  }

  onEnd(trailers: string[]): void {
    this.connection = null;
    try {
      this.fill?.end();
      this.fill = null;
      if (this.standIn !== null) answerStored(this, this.standIn);
      if (trailers.length > 0 && this.answer !== null)
        this.response.addTrailers(toTrailers(trailers));
      this.upload?.stop();
      endBody(this);
      if (this.upload !== null) linger(this.request);
    } catch (error) {
      this.#collapse(error);
    }
  }

  onFailure(error: Error): void {
    this.connection = null;
    this.seenWaiting = -1;
    if (this.phase === 'over') return;
    try {
      fail(this, error);
    } catch (fault) {
      this.#collapse(fault);
    }
  }

  // Of the upload.

  send(bytes: Buffer): boolean {
    return this.connection?.write(this, bytes) ?? true;
  }

  waitsFor(side: 'slot' | 'visitor'): void {
    if (this.phase === 'sent') this.seenWaiting = side === 'slot' ? 0 : -1;
  }

  failed(error: Error): void {
    this.giveUp(error);
  }

  #abandon(): void {
    const connection = this.connection;
    this.connection = null;
    connection?.abandon(this);
  }

  /** The guard: whatever has been thrown, only this exchange ends. */
  #collapse(error: unknown): void {
    this.context.onFault(error as Error);
    this.#abandon();
    try {
      breakOff(this.response);
    } catch {
      this.request.socket.destroy();
    }
    this.end();
  }
}
