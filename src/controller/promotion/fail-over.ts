/** Visitors leave a slot that died, and come back when it is well: pure decisions over the state. */
import { otherSlot } from '../../slots/slot.ts';
import type { State } from '../../slots/state.ts';

/** The active slot is dead and the standby is not: everybody moves, or back if they came from there. */
export function failOver(state: State): State {
  if (state.active === null) return state;
  const to = otherSlot(state.active);
  if (to === state.failedOverFrom) return failBack(state);
  return { ...state, epoch: state.epoch + 1, active: to, failedOverFrom: state.active };
}

/** The slot that died is healthy again: everybody moves back. */
export function failBack(state: State): State {
  const to = state.failedOverFrom;
  if (to === null) return state;
  return { ...state, epoch: state.epoch + 1, active: to, failedOverFrom: null };
}
