import type { Slot } from '../../slots/slot.ts';

/** What is known about an attempt that failed before the slot's answer began. */
export interface FailedAttempt {
  method: string | undefined;
  hasBody: boolean;
  /** It took the place of one that an idle connection's end had cost. */
  retried: boolean;
  /** A slot had refused this request before. */
  refusedBefore: boolean;
  /** No connection was made. */
  refused: boolean;
  /** A connection that had been idle since an earlier answer was closed before it gave a byte of this one. */
  idleConnectionLost: boolean;
}

/**
 * Whether and where a request is sent again: only where no byte of it can have been processed, and once for
 * each of the two reasons (design §6). A slot whose processes die loses idle connections first and refuses
 * new ones then, so that one request may meet both.
 *
 * @param other the slot to fall back to, or `null`
 * @returns the slot for the second attempt, or `null` to give up
 */
export function retrySlot(attempt: FailedAttempt, slot: Slot, other: Slot | null): Slot | null {
  if (attempt.refused) return attempt.refusedBefore ? null : other;
  if (
    attempt.retried ||
    !attempt.idleConnectionLost ||
    attempt.hasBody ||
    !isIdempotent(attempt.method)
  )
    return null;
  return slot;
}

/** RFC 9110 §9.2.2, without those that change something (`PUT`, `DELETE`): doubling them may be noticed. */
function isIdempotent(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}
