/**
 * Every transition of the state: values in, values out. Each function's result is persisted before anything acts
 * on it, so a controller that is killed anywhere finds in state.json what it was about to do.
 */
import { type ErrorCode, SlotsError } from '../../errors.ts';
import { otherSlot, type Slot } from '../../slots/slot.ts';
import {
  type Candidate,
  type FleetState,
  type LastPromotion,
  type Promotion,
  type PuttingBack,
  type State,
  stageOf,
} from '../../slots/state.ts';
import type { Trigger } from '../../slots/trigger.ts';
import type { ResolvedGoal } from './order.ts';
import { idleSlot, isTwice, retired } from './roles.ts';

export type NewPromotion = ResolvedGoal & Pick<Promotion, 'id' | 'trigger' | 'startedAt' | 'fleet'>;

/** The part of a promotion that stays from its beginning to its end. */
type Base = Pick<Promotion, 'id' | 'kind' | 'trigger' | 'startedAt' | 'durationsMs' | 'fleet'>;

/** Why a step failed: an error's code, and one line that a person can act on. */
export interface Failure {
  code: ErrorCode;
  message: string;
}

/** @throws SlotsError `NO_STANDBY` when visitors were moved since the order was resolved */
export function begin(state: State, next: NewPromotion): State {
  if (state.promotion) throw new Error(`promotion ${state.promotion.id} is still running`);
  const { id, kind, trigger, startedAt, fleet } = next;
  const base: Base = { id, kind, trigger, startedAt, durationsMs: {}, ...(fleet && { fleet }) };
  switch (next.kind) {
    case 'build':
      return { ...state, promotion: { ...base, step: 'build', release: null } };
    case 'release':
      return enterStart(state, base, next.release);
    case 'standby':
      if (next.release !== retired(state).release) {
        throw new SlotsError('NO_STANDBY', `${next.release} is no longer on the standby`);
      }
      return enterStandby(state, base, next.release);
  }
}

/** At once, but in a fleet not before the other machines are ready for it: they agree at the end of the check. */
function enterStandby(state: State, base: Base, release: string): State {
  const slot = idleSlot(state);
  const promotion: Candidate = { ...base, step: 'check', slot, release, previous: release };
  return base.fleet ? { ...state, promotion } : enterFlip(state, promotion);
}

/** The builder has read the source and knows what the release is called, or has made none. */
export function named(state: State, release: string | null): State {
  const { promotion } = state;
  if (promotion?.step !== 'build') return state;
  return { ...state, promotion: { ...promotion, release } };
}

/** The current step is done; on to the next one, or the end. */
export function afterSuccess(state: State, ms: number, finishedAt: string): State {
  const promotion = timed(running(state), ms);
  switch (promotion.step) {
    case 'build':
      // What it wrote is live already: nothing was promoted, and `last` is the promotion before.
      if (promotion.release === null) return { ...state, promotion: null };
      return enterStart(state, promotion, promotion.release);
    case 'start':
      return { ...state, promotion: { ...promotion, step: 'check' } };
    case 'check':
      return enterFlip(state, promotion);
    case 'flip':
      return afterFlip(state, promotion, finishedAt);
    case 'drain':
      return { ...standbyAgain(state, promotion), promotion: { ...promotion, step: 'reload' } };
    case 'reload':
      return finish(state, promotion, success(promotion), null, finishedAt);
    case 'put back':
      return finish(state, promotion, 'failed', promotion.failure.message, finishedAt);
  }
}

/**
 * A step failed. Before the start nothing was touched. From the start on the standby has to be put back,
 * after a flip back where visitors were moved already. Once drained, the promotion stands whatever happens.
 */
export function afterFailure(
  state: State,
  { code, message }: Failure,
  ms: number,
  finishedAt: string,
): State {
  const promotion = timed(running(state), ms);
  switch (promotion.step) {
    case 'build':
      return finish(state, promotion, 'failed', message, finishedAt);
    case 'start':
    case 'check':
      return putBack(state, promotion, message);
    case 'flip':
      return putBack(flippedBack(state, promotion), promotion, message);
    case 'drain': {
      const left = standbyAgain(state, promotion);
      return finish(left, promotion, success(promotion), message, finishedAt);
    }
    case 'reload': {
      // The retired slot's release is gone from the disk: there is no standby.
      const isGone = code === 'RELEASE_UNKNOWN';
      const left = isGone ? withRelease(state, idleSlot(state), null) : state;
      return finish(left, promotion, success(promotion), message, finishedAt);
    }
    case 'put back': {
      const both = `${promotion.failure.message}; and the standby could not be put back: ${message}`;
      // The release to put back is gone from the disk: there is no standby.
      const left = code === 'RELEASE_UNKNOWN' ? withRelease(state, promotion.slot, null) : state;
      return finish(left, promotion, 'failed', both, finishedAt);
    }
  }
}

/** The person wants the retiring slot back before it is drained: the promotion ends here, as it is. */
export function endDrain(state: State, finishedAt: string): State {
  const promotion = running(state);
  return finish(standbyAgain(state, promotion), promotion, success(promotion), null, finishedAt);
}

export interface Recovery {
  state: State;
  /** The trigger of the interrupted build, if it has to be run again from its beginning. */
  again: Trigger | null;
}

/**
 * Takes up the state that a controller finds at its start.
 *
 * @param isUsable the interrupted promotion's release is complete, and no edit has overtaken it: then the
 * promotion goes on with it, for a second build of the same content would be a second release
 */
export function afterRestart(state: State, isUsable: boolean): Recovery {
  const { promotion } = state;
  switch (promotion?.step) {
    case 'build':
      if (isUsable && promotion.release !== null) {
        return { state: enterStart(state, promotion, promotion.release), again: null };
      }
      return { state: { ...state, promotion: null }, again: promotion.trigger };
    case 'start':
    case 'check':
      if (isUsable)
        return { state: { ...state, promotion: { ...promotion, step: 'start' } }, again: null };
      return {
        state: putBack(state, promotion, `the controller was stopped during ${promotion.step}`),
        again: promotion.kind === 'build' ? promotion.trigger : null,
      };
    default:
      return { state, again: null };
  }
}

/** The slot's release is gone from the disk: nothing may count on it, nor move visitors back to it. */
export function withoutStandby(state: State, slot: Slot): State {
  return { ...withRelease(state, slot, null), failedOverFrom: null };
}

/** Workers take no older epoch than they have: a state that was lost starts counting above theirs. */
export function catchUp(state: State, epoch: number): State {
  return state.epoch > epoch ? state : { ...state, epoch: epoch + 1 };
}

export function setPaused(state: State, paused: boolean): State {
  return state.paused === paused ? state : { ...state, paused };
}

/** A machine that was set apart, or paused, by itself comes back to the others with the next `resume`. */
export function pausedInFleet(state: State, paused: boolean, alone: boolean): State {
  const { fleet } = state;
  if (!fleet) return setPaused(state, paused);
  const { apart: _, pausedAlone: __, ...rest } = fleet;
  const next = paused ? { ...fleet, ...(alone && { pausedAlone: true }) } : rest;
  return { ...state, paused, fleet: next };
}

/** The fleet has come to another epoch with the release that this machine serves already. */
export function adopt(state: State, fleet: FleetState): State {
  return { ...state, fleet: { ...fleet, ...pausedStill(state) } };
}

/** A machine that was paused by itself stays so, whatever it serves with the others. */
function pausedStill({ fleet }: State): Pick<FleetState, 'pausedAlone'> {
  return fleet?.pausedAlone ? { pausedAlone: true } : {};
}

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

function running(state: State): Promotion {
  if (!state.promotion) throw new Error('no promotion is running');
  return state.promotion;
}

/** Putting back is no stage, and has no duration. */
function timed(promotion: Promotion, ms: number): Promotion {
  if (promotion.step === 'put back') return promotion;
  const durationsMs = { ...promotion.durationsMs, [promotion.step]: Math.round(ms) };
  return { ...promotion, durationsMs };
}

function enterStart(
  state: State,
  { id, kind, trigger, startedAt, durationsMs, fleet }: Base,
  release: string,
): State {
  const slot = idleSlot(state);
  const previous = state.slots[slot].release;
  return {
    ...withRelease(state, slot, release),
    promotion: {
      id,
      kind,
      trigger,
      startedAt,
      durationsMs,
      ...(fleet && { fleet }),
      step: 'start',
      slot,
      release,
      previous,
    },
  };
}

function enterFlip(state: State, promotion: Candidate): State {
  return {
    ...state,
    epoch: state.epoch + 1,
    active: promotion.slot,
    promotion: { ...promotion, step: 'flip' },
    ...(promotion.fleet && {
      fleet: { ...servedBy(promotion, promotion.fleet.epoch), ...pausedStill(state) },
    }),
  };
}

function servedBy({ release, trigger }: Candidate, epoch: number): FleetState {
  return { epoch, release, ...(trigger === 'rollback' && { rollback: true }) };
}

/**
 * Changes what only a flip that has succeeded may change, since one that failed must leave no trace. A rollback pauses
 * edits, or else the next keystroke would undo it.
 */
function afterFlip(state: State, promotion: Candidate, finishedAt: string): State {
  const { fleet } = state;
  // A rollback of this machine alone.
  const isApart = fleet && promotion.trigger === 'rollback' && !promotion.fleet;
  const flipped = {
    ...state,
    failedOverFrom: null,
    paused: state.paused || promotion.trigger === 'rollback',
    ...(isApart && { fleet: { ...fleet, apart: true } }),
  };
  if (retired(state).release === null) {
    return finish(flipped, promotion, success(promotion), null, finishedAt);
  }
  return { ...flipped, promotion: { ...promotion, step: 'drain' } };
}

function flippedBack(state: State, promotion: Candidate): State {
  const previous = otherSlot(promotion.slot);
  const active = state.slots[previous].release === null ? null : previous;
  const { fleet } = promotion;
  const before = fleet?.previous;
  return {
    ...state,
    epoch: state.epoch + 1,
    active,
    ...(fleet && { fleet: before ? { ...before, ...pausedStill(state) } : undefined }),
  };
}

function putBack(state: State, failed: Candidate, message: string): State {
  const promotion: PuttingBack = {
    ...failed,
    step: 'put back',
    failure: { stage: failed.step, message },
  };
  return { ...withRelease(state, failed.slot, failed.previous), promotion };
}

/** After a restart the slots have changed places: the retired one gets the release that the candidate's slot held. */
function standbyAgain(state: State, promotion: Promotion): State {
  if (promotion.step === 'build' || !isTwice(state, promotion)) return state;
  return withRelease(state, idleSlot(state), promotion.previous);
}

function withRelease(state: State, slot: Slot, release: string | null): State {
  return { ...state, slots: { ...state.slots, [slot]: { release } } };
}

function success(promotion: Promotion): LastPromotion['outcome'] {
  return promotion.trigger === 'rollback' ? 'rolled-back' : 'promoted';
}

function finish(
  state: State,
  promotion: Promotion,
  outcome: LastPromotion['outcome'],
  error: string | null,
  finishedAt: string,
): State {
  const { id, release, durationsMs, trigger, startedAt } = promotion;
  const last: LastPromotion = {
    id,
    release,
    outcome,
    stage: stageOf(promotion),
    error,
    finishedAt,
    durationsMs,
    trigger,
    startedAt,
  };
  return { ...state, promotion: null, last };
}
