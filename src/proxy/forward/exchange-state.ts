import type { Slot } from '../../slots/slot.ts';
import type { Traffic } from '../../wire/messages.ts';
import type { Fill, ServedStored } from '../cache/fill.ts';
import type { BodyEncoder } from '../compress/encoder.ts';
import type { Waiting } from '../send-soon.ts';
import type { CallConnection, SlotCall } from '../slot/call.ts';
import type { Over } from '../slot/connections.ts';
import type { Answer } from '../visitor/answer.ts';
import type { VisitorRequest, VisitorResponse } from '../visitor/kinds.ts';
import type { ExchangeContext } from './context.ts';
import type { AwaitsHead } from './head-watch.ts';
import type { PlaceOwner } from './limiter.ts';
import type { Upload } from './upload.ts';

/** `queued`: for a place or a connection. `answering`: the visitor has an answer's head, or is just getting it. */
export type Phase = 'queued' | 'sent' | 'answering' | 'over';

/** A place in the limiter of the exchange's slot. */
export type Place = 'none' | 'wanted' | 'held';

/** The state of an exchange. Only the exchange itself and the steps in `answering`, `failing` and `place` change it. */
export interface ExchangeState extends SlotCall, PlaceOwner, Waiting, AwaitsHead {
  readonly context: ExchangeContext;
  readonly request: VisitorRequest;
  readonly response: VisitorResponse;
  /** Fields as the slot gets them, pairs of name and value. */
  readonly headers: string[];
  /** The same for what the visitor asked: the cache may ask the slot another question. */
  readonly requestHeaders: string[];
  /** `performance.now()` at the request's head. */
  readonly startedAt: number;
  /** `null` for a request without a body. */
  readonly upload: Upload | null;
  phase: Phase;
  place: Place;
  slot: Slot;
  /** Where the answer is counted. */
  traffic: Traffic;
  /** The connection to the slot that the request is on, until that connection is done with it. */
  connection: CallConnection | null;
  /** Which connections the next attempt may use. */
  over: Over;
  answer: Answer | null;
  /** Between the slot and the answer, where the body does not go out as it came. */
  encoder: BodyEncoder | null;
  /** Of the release cache: is told of the answer. */
  fill: Fill | null;
  /** From memory, in place of the slot's answer, once that is over. */
  standIn: ServedStored | null;
  /** Of the slot's answer. */
  contentType: string | undefined;
  /** Pieces of the answer that were written since all before them had been taken. */
  waitingPieces: number;
  isPaused: boolean;
  /** How often the request was sent. */
  timesSent: number;
  /** `performance.now()` when a slot refused it for the first time. */
  refusedAt: number | null;
  /** How many informational answers have come. */
  timesInformed: number;
}
