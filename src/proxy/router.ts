/** Where a request goes: pure decisions over the assignment. */

import { otherSlot, type Slot } from '../slots/slot.ts';
import type { Assignment } from '../wire/assignment.ts';

export const NOWHERE: Assignment = {
  epoch: 0,
  revision: 0,
  active: null,
  slots: {
    blue: { port: 0, release: null, warm: false },
    green: { port: 0, release: null, warm: false },
  },
};

/** Epochs only grow. Within one, what comes last counts: warmth and releases change without a flip. */
export function isNewer(next: Assignment, current: Assignment): boolean {
  return next.epoch >= current.epoch;
}

/**
 * The slot to try when one refuses the connection: the active one for a request that a flip has overtaken,
 * otherwise the standby if it is warm; `null` when there is nowhere to go.
 */
export function fallback(assignment: Assignment, refused: Slot): Slot | null {
  const other = otherSlot(refused);
  return assignment.active === other || assignment.slots[other].warm ? other : null;
}
