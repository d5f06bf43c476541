import type { Slot } from '../../slots/slot.ts';

/** An attempt that failed with no byte of an answer at the visitor. */
export interface FailedAttempt {
  method: string;
  hasBody: boolean;
  /** No connection was made, so that no byte of the request was sent. */
  refused: boolean;
  /** The connection was closed after the request was sent, and before the answer had begun. */
  lost: boolean;
  /** It was the second time that the request was sent. */
  sentBefore: boolean;
  /** A slot had refused this request before. */
  refusedBefore: boolean;
}

/**
 * Whether and where a request goes again (design §6): on to the other slot where none of it can have been processed,
 * and once more to the same slot where doing it twice does no harm. A slot whose processes die loses connections
 * first and refuses new ones then, so that one request may meet both.
 *
 * @param other the slot to fall back to, or `null`
 * @returns the slot for the next attempt, or `null` to give up
 */
export function retrySlot(attempt: FailedAttempt, slot: Slot, other: Slot | null): Slot | null {
  if (attempt.refused) return attempt.refusedBefore ? null : other;
  if (!attempt.lost || attempt.sentBefore || attempt.hasBody) return null;
  return isSafe(attempt.method) ? slot : null;
}

/** RFC 9110 §9.2.1. */
function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'TRACE';
}
