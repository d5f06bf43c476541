import type { Slot } from '../../slots/slot.ts';

/**
 * How long a safe request waits for a process of a slot to listen again, in milliseconds from the first refusal on
 * (design §6): PM2 starts an instance that was killed anew.
 */
export const RESTART_WAIT_MS = 2000;

/** How long one that waits stays away before it tries again, in milliseconds. */
const AGAIN_AFTER_MS = 100;

/**
 * How long after a loss a request is sent again, in milliseconds. Processes that are killed together die one after
 * another, and one that is dying still takes connections: all of them refuse once they are dead.
 */
const AFTER_LOSS_MS = 50;

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
  /** How long ago a slot has refused this request for the first time, in milliseconds; `null` if none had. */
  refusedForMs: number | null;
}

export interface NextAttempt {
  /** To the slot that has lost it, to the other one, or to whichever slot is there again first. */
  kind: 'retry' | 'fail-over' | 'wait';
  slot: Slot;
  afterMs: number;
}

/**
 * Whether, where and when a request goes again (design §6): on to the other slot where none of it can have been
 * processed, once more to the same slot where doing it twice does no harm, and, where no slot takes it, to each that may
 * until one listens again. A slot whose processes die loses connections first and refuses new ones then, so that one
 * request may meet all of it.
 *
 * @param other the slot to fall back to, or `null`
 * @returns `null` to give up
 */
export function nextAttempt(
  attempt: FailedAttempt,
  slot: Slot,
  other: Slot | null,
): NextAttempt | null {
  const { refused, lost, sentBefore, refusedForMs, hasBody } = attempt;
  const isHarmless = isSafe(attempt.method) && !hasBody;
  if (lost) {
    if (!isHarmless || sentBefore) return null;
    return { kind: 'retry', slot, afterMs: AFTER_LOSS_MS };
  }
  if (!refused) return null;
  if (refusedForMs === null && other !== null)
    return { kind: 'fail-over', slot: other, afterMs: 0 };
  if (!isHarmless || (refusedForMs ?? 0) >= RESTART_WAIT_MS) return null;
  return { kind: 'wait', slot: other ?? slot, afterMs: AGAIN_AFTER_MS };
}

/** RFC 9110 §9.2.1. */
function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'TRACE';
}
