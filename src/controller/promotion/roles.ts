/** What each slot is for visitors, read off the state: pure, like the promotion that changes it. */
import { otherSlot, type PerSlot, type Role, SLOTS, type Slot } from '../../slots/slot.ts';
import type { State } from '../../slots/state.ts';

/** The slot that the next candidate goes to: never the one that visitors see. */
export function idleSlot(state: State): Slot {
  return state.active === null ? 'blue' : otherSlot(state.active);
}

/** What the slot holds that visitors do not see. */
export function retired(state: State): { release: string | null } {
  return state.slots[idleSlot(state)];
}

/** Whether a standby is there to move to: in the other stages the idle slot is somebody's workplace. */
export function hasStandby(state: State): boolean {
  const { promotion } = state;
  if (state.active === null || retired(state).release === null) return false;
  return promotion === null || promotion.stage === 'build';
}

export function roles(state: State): PerSlot<Role> {
  return Object.fromEntries(SLOTS.map((slot) => [slot, role(state, slot)])) as PerSlot<Role>;
}

function role(state: State, slot: Slot): Role {
  const { promotion } = state;
  if (slot === state.active) return 'active';
  if (promotion?.slot === slot) return 'candidate';
  if (slot === state.failedOverFrom || state.slots[slot].release === null) return 'down';
  return promotion?.slot && !promotion.failure ? 'retiring' : 'standby';
}

/** Where a worker may send a request that the active slot refused: only to what nobody is about to stop. */
export function warmSlots(state: State): PerSlot<boolean> {
  const { promotion } = state;
  const untouched =
    !promotion ||
    promotion.stage === 'build' ||
    (!promotion.failure && (promotion.stage === 'flip' || promotion.stage === 'drain'));
  const warm = (slot: Slot) =>
    untouched &&
    state.active !== null &&
    slot !== state.active &&
    state.slots[slot].release !== null;
  return { blue: warm('blue'), green: warm('green') };
}
