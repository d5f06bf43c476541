import type { Step } from '../../src/controller/promotion/roles.ts';
import { otherSlot, type Slot } from '../../src/slots/slot.ts';
import type { Promotion, State } from '../../src/slots/state.ts';
import type { StackModel } from './stack-model.ts';

/** One thing that a stage does; between two of them anything may happen. */
type Act = 'read' | 'compile' | 'assign' | 'empty' | 'restart' | 'stop' | 'listen' | 'probe';

/** We gave a slot new processes, or took them away. */
export interface Touch {
  promotion: string;
  step: Step;
  slot: Slot;
  active: Slot | null;
  mayRoute: boolean;
}

export interface StageHooks {
  state(): State;
  /** Starts to tell every worker what the state says now. */
  send(): void;
  /** Whether every worker routes by what was sent last. */
  acknowledged(): boolean;
  read(promotion: Promotion): void;
  compile(promotion: Promotion): void;
}

/** Looks in vain at open requests before the drain's deadline cuts them. */
const DRAIN_LOOKS = 2;

/** What src/controller/promotion/stages does, in the same order, an act at a time. */
export function createStageModel(stack: StackModel, hooks: StageHooks) {
  let done = 0;
  let looks = 0;
  const touches: Touch[] = [];

  function touch(promotion: Promotion, slot: Slot, release: string | null): true {
    touches.push({
      promotion: promotion.id,
      step: promotion.step,
      slot,
      active: hooks.state().active,
      mayRoute: stack.mayRoute(slot),
    });
    stack.restartSlot(slot, release);
    return true;
  }

  function emptied(slot: Slot): boolean {
    if (stack.inflight(slot) > 0 && looks <= DRAIN_LOOKS) return false;
    stack.cut(slot);
    return true;
  }

  function perform(promotion: Promotion, act: Act): boolean {
    const { slot, release } = target(hooks.state(), promotion);
    const first = looks++ === 0;
    switch (act) {
      case 'read':
        hooks.read(promotion);
        return true;
      case 'compile':
        hooks.compile(promotion);
        return true;
      case 'assign':
        if (first) hooks.send();
        return hooks.acknowledged();
      case 'empty':
        return emptied(slot);
      case 'restart':
        return touch(promotion, slot, release);
      case 'stop':
        return touch(promotion, slot, null);
      case 'listen':
        stack.listen(slot);
        return true;
      case 'probe':
        return stack.processes[slot].status === 'warm';
    }
  }

  return {
    touches,
    /** The next act of the running stage; true when that was the last one. */
    advance(promotion: Promotion): boolean {
      const acts = actsOf(promotion);
      if (!perform(promotion, acts[done] as Act)) return false;
      looks = 0;
      return ++done === acts.length;
    },
    hasBegun: () => done > 0,
    /** A stage begins, or the controller begins it once more. */
    begin() {
      done = looks = 0;
    },
  };
}

function actsOf(promotion: Promotion): Act[] {
  switch (promotion.step) {
    case 'build':
      return ['read', 'compile'];
    case 'start':
      return ['assign', 'empty', 'restart', 'listen'];
    case 'check':
      return ['probe'];
    case 'flip':
      return ['assign'];
    case 'drain':
      return ['assign', 'empty'];
    case 'reload':
      return ['assign', 'restart', 'listen'];
    case 'put back':
      return promotion.previous === null
        ? ['assign', 'empty', 'stop']
        : ['assign', 'empty', 'restart', 'listen'];
  }
}

function target(state: State, promotion: Promotion): { slot: Slot; release: string | null } {
  if (promotion.step === 'build') return { slot: 'blue', release: null };
  const { step, slot: candidate, release, previous } = promotion;
  if (step === 'put back') return { slot: candidate, release: previous };
  if (step !== 'drain' && step !== 'reload') return { slot: candidate, release };
  const slot = otherSlot(candidate);
  return { slot, release: state.slots[slot].release };
}
