/** What an exchange tells the cache of a slot's answer, and what the cache makes of it. */
import type { Slot } from '../../slots/slot.ts';
import type { AnswerHead } from '../slot/answer-head.ts';
import type { StoredAnswer } from './stored.ts';

/** A request as the cache sees it. */
export interface CacheRequest {
  method: string;
  /** Path and query. */
  path: string;
  /** Fields as the slot gets them, name and value in turn. */
  headers: string[];
}

export interface Fill {
  /** Fields for the slot in place of the request's, name and value in turn: they ask whether a stored answer is right still. */
  readonly headers: string[] | null;
  /** The value of `Cache-Status` for the slot's answer; `null` for none. */
  status: string | null;
  /**
   * The slot's answer has begun.
   *
   * @param slot that has given it
   * @param fields as a visitor gets them
   * @returns the stored answer that the visitor gets in its place, or `null`
   */
  begin(slot: Slot, head: AnswerHead, fields: readonly string[]): ServedStored | null;
  data(bytes: Buffer): void;
  /** All of it has come. */
  end(): void;
  /** Whether `fail` would return one. */
  canStandIn(): boolean;
  /** There is no answer; @returns the stored one that the visitor gets instead, or `null` */
  fail(): ServedStored | null;
  /** Nothing more of it will come, or it is another answer than was asked for. */
  drop(): void;
}

export interface ServedStored {
  stored: StoredAnswer;
  /** For `Cache-Status`. */
  status: string;
}

/** For an answer that nobody looks at: those before it could not be stored. */
export function unwatched(status: string): Fill {
  return {
    headers: null,
    status,
    begin: () => null,
    data() {},
    end() {},
    canStandIn: () => false,
    fail: () => null,
    drop() {},
  };
}
