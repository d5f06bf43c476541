/** Each slot's role for visitors, read off the state: pure, like the promotion that changes it. */
import { otherSlot, type PerSlot, type Role, SLOTS, type Slot } from '../../slots/slot.ts';
import type { Promotion, State } from '../../slots/state.ts';

/** One step of a promotion: a stage, or putting the standby back. */
export type Step = Promotion['step'];

/** The slot that the next candidate goes to: never the one that visitors see. */
export function idleSlot(state: State): Slot {
  return state.active === null ? 'blue' : otherSlot(state.active);
}

/** The content of the slot that visitors do not see. */
export function retired(state: State): { release: string | null } {
  return state.slots[idleSlot(state)];
}

/** The release that visitors see, or will see again once the slot that died is well; `null` until there is one. */
export function liveRelease({ active, failedOverFrom, slots }: State): string | null {
  const slot = failedOverFrom ?? active;
  return slot && slots[slot].release;
}

/** Whether both slots hold one release: a restart has given the candidate what visitors see already. */
export function isTwice(state: State, { release }: { release: string | null }): boolean {
  return (
    state.active !== null &&
    release !== null &&
    SLOTS.every((slot) => state.slots[slot].release === release)
  );
}

/** The release that a rollback leads to. While a restart has the live one in both slots it is the one before. */
export function standbyRelease(state: State): string | null {
  const { active, promotion } = state;
  if (active === null) return null;
  if (promotion && promotion.step !== 'build' && isTwice(state, promotion))
    return promotion.previous;
  return retired(state).release;
}

/** Whether visitors may be moved to a standby: after the build the idle slot is the promotion's. */
export function hasStandby(state: State): boolean {
  if (state.active === null || retired(state).release === null) return false;
  return state.promotion === null || state.promotion.step === 'build';
}

export function roles(state: State): PerSlot<Role> {
  return Object.fromEntries(SLOTS.map((slot) => [slot, role(state, slot)])) as PerSlot<Role>;
}

function role(state: State, slot: Slot): Role {
  const { promotion } = state;
  if (slot === state.active) return 'active';
  const candidate = promotion === null || promotion.step === 'build' ? null : promotion.slot;
  if (slot === candidate) return 'candidate';
  if (slot === state.failedOverFrom || state.slots[slot].release === null) return 'down';
  return candidate !== null && promotion?.step !== 'put back' ? 'retiring' : 'standby';
}

/** Whether the step must not begin before every worker routes by the state as it is now. */
export function reroutes(step: Step): boolean {
  // A build touches no slot, and a check follows a start.
  return step !== 'build' && step !== 'check';
}

/** Steps in which the slot that visitors do not see is whole: nobody is about to stop it. */
const UNTOUCHED: ReadonlySet<Step | undefined> = new Set([undefined, 'build', 'flip', 'drain']);

/** Where a worker may send a request that the active slot refused. */
export function warmSlots(state: State): PerSlot<boolean> {
  const warm = (slot: Slot) =>
    UNTOUCHED.has(state.promotion?.step) &&
    state.active !== null &&
    slot !== state.active &&
    state.slots[slot].release !== null;
  return { blue: warm('blue'), green: warm('green') };
}
