import type { PerSlot, Slot } from '../slots/slot.ts';

/**
 * Where the workers send visitors: the whole of it, so that a worker that has just connected
 * knows as much as one that has run for weeks. Epochs only grow; a worker ignores an older one.
 */
export interface Assignment {
  /** Counts flips. 0 before the first release is live. */
  epoch: number;
  /**
   * Tells assignments of one epoch apart: `warm` and `release` change without a flip. Starts over with each
   * controller, so it orders nothing; a worker takes what comes last and names it in its acknowledgement.
   */
  revision: number;
  /** The slot that answers visitors; `null` until the first release is live. */
  active: Slot | null;
  slots: PerSlot<SlotTarget>;
}

export interface SlotTarget {
  /** The slot's port on 127.0.0.1. */
  port: number;
  /** The release this slot serves, or `null` when it has none. */
  release: string | null;
  /**
   * Whether a worker that finds the active slot dead may send a request here:
   * true for a warm standby, false for a candidate or an empty slot.
   */
  warm: boolean;
}
