/** Where requests go: owns the one pointer that a flip moves. Does no I/O. */

import { otherSlot, type Slot } from '../slots/slot.ts';
import type { Assignment } from '../wire/assignment.ts';

/** Before a worker has been told anything. */
export const NOWHERE: Assignment = {
  epoch: 0,
  revision: 0,
  active: null,
  slots: {
    blue: { release: null, warm: false },
    green: { release: null, warm: false },
  },
};

export interface Router {
  /** The assignment that the next request is routed by. */
  current(): Assignment;
  /** The slot for a request whose head has just been read; `null` until a release is live. */
  route(): Slot | null;
  /**
   * The slot to try when one refuses the connection: the active one for a request that a flip has overtaken,
   * otherwise the standby if it is warm; `null` when there is nowhere to go.
   */
  fallback(refused: Slot): Slot | null;
  /**
   * Routes by this assignment from the next request on. Epochs only grow, and an older assignment changes nothing.
   * Within one epoch what comes last counts: warmth and releases change without a flip.
   *
   * @returns whether it was taken
   */
  flip(next: Assignment): boolean;
}

export function createRouter(): Router {
  let assignment = NOWHERE;
  return {
    current: () => assignment,
    route: () => assignment.active,
    fallback(refused) {
      const other = otherSlot(refused);
      return assignment.active === other || assignment.slots[other].warm ? other : null;
    },
    flip(next) {
      if (next.epoch < assignment.epoch) return false;
      assignment = next;
      return true;
    },
  };
}
