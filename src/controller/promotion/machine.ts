/**
 * The promotion, as a state machine: values in, values out. Each function's result is persisted before
 * anything acts on it, so a controller that is killed anywhere finds in state.json what it was about to do.
 */
import { SlotsError } from '../../errors.ts';
import { otherSlot, type Slot } from '../../slots/slot.ts';
import type { LastPromotion, Promotion, Stage, StageError, State } from '../../slots/state.ts';
import { idleSlot, retired } from './roles.ts';

export interface NewPromotion {
  id: string;
  kind: Promotion['kind'];
  trigger: string;
  /** The kept release to put live; `null` for a build. */
  release: string | null;
  startedAt: string;
}

/**
 * How an order is carried out now. A rollback to a release that the standby has warm is a flip; to a standby
 * that is not well, it is a start of the same release.
 *
 * @throws SlotsError `NO_STANDBY` or `ALREADY_ACTIVE`
 */
export function resolveOrder<Order extends Pick<Promotion, 'kind' | 'release'>>(
  state: State,
  order: Order,
  isHealthy: (slot: Slot) => boolean,
): Order {
  if (order.kind !== 'standby' && order.kind !== 'release') return order;
  const idle = idleSlot(state);
  const standby = state.active === null ? null : state.slots[idle].release;
  const release = order.kind === 'standby' ? standby : order.release;
  if (release === null) {
    throw new SlotsError('NO_STANDBY', 'there is no standby to roll back to', {
      hint: 'it comes with the second release; `slots releases` lists those kept',
    });
  }
  if (state.active !== null && release === state.slots[state.active].release) {
    throw new SlotsError('ALREADY_ACTIVE', `${release} is what visitors see already`);
  }
  return {
    ...order,
    kind: release === standby && isHealthy(idle) ? 'standby' : 'release',
    release,
  };
}

/** @throws SlotsError `NO_STANDBY` when visitors were moved since the order was resolved */
export function begin(state: State, next: NewPromotion): State {
  if (state.promotion) throw new Error(`promotion ${state.promotion.id} is still running`);
  if (next.kind === 'standby' && next.release !== retired(state).release) {
    throw new SlotsError('NO_STANDBY', `${next.release} is no longer on the standby`);
  }
  const promotion: Promotion = {
    ...next,
    stage: 'build',
    slot: null,
    previousRelease: null,
    durationsMs: {},
    failure: null,
  };
  const begun = { ...state, promotion };
  if (next.kind === 'release') return enterStart(begun, promotion);
  if (next.kind === 'standby') return enterFlip(begun, onStandby(state, promotion));
  return begun;
}

/** The builder has read the source and knows what the release is called. */
export function named(state: State, release: string): State {
  return state.promotion ? { ...state, promotion: { ...state.promotion, release } } : state;
}

/** The current stage is done; on to the next one, or the end. */
export function afterSuccess(state: State, ms: number, finishedAt: string): State {
  const promotion = timed(running(state), ms);
  if (promotion.failure) return finish(state, promotion, 'failed', finishedAt);
  switch (promotion.stage) {
    case 'build':
      return enterStart(state, promotion);
    case 'start':
      return { ...state, promotion: { ...promotion, stage: 'check' } };
    case 'check':
      return enterFlip(state, promotion);
    case 'flip':
      return afterFlip(state, promotion, finishedAt);
    case 'drain':
      return { ...state, promotion: { ...promotion, stage: 'reload' } };
    case 'reload':
      return finish(state, promotion, success(promotion), finishedAt);
  }
}

/**
 * A stage failed. Before the start nothing was touched. From the start on the standby has to be put back,
 * after a flip back where visitors were moved already. Once drained, the promotion stands whatever happens.
 */
export function afterFailure(state: State, message: string, ms: number, finishedAt: string): State {
  const promotion = timed(running(state), ms);
  const failure: StageError = { stage: promotion.stage, message };
  const failed = { ...promotion, failure };
  switch (promotion.stage) {
    case 'build':
      return finish(state, failed, 'failed', finishedAt);
    case 'start':
    case 'check':
      return putBack(state, failed);
    case 'flip':
      return putBack(flippedBack(state, failed), failed);
    case 'drain':
    case 'reload':
      return finish(state, promotion, success(promotion), finishedAt, message);
  }
}

/** The person wants the retiring slot back before it is drained: the promotion ends here, as it is. */
export function endDrain(state: State, finishedAt: string): State {
  const promotion = running(state);
  return finish(state, promotion, success(promotion), finishedAt);
}

export interface Recovery {
  state: State;
  /** The interrupted build, if it has to be run again from its beginning. */
  again: Promotion | null;
}

/**
 * What a controller that has just started makes of the state it finds.
 *
 * @param isUsable the interrupted promotion's release is complete, and no edit has overtaken it: then the
 * promotion goes on with it, for a second build of the same content would be a second release
 */
export function afterRestart(state: State, isUsable: boolean): Recovery {
  const { promotion } = state;
  if (!promotion || promotion.failure) return { state, again: null };
  const { stage } = promotion;
  if (stage === 'build') {
    if (isUsable) return { state: enterStart(state, promotion), again: null };
    return { state: { ...state, promotion: null }, again: promotion };
  }
  if (stage !== 'start' && stage !== 'check') return { state, again: null };
  if (isUsable)
    return { state: { ...state, promotion: { ...promotion, stage: 'start' } }, again: null };
  const message = `the controller was stopped during ${stage}`;
  const failure = { stage, message };
  return {
    state: putBack(state, { ...promotion, failure }),
    again: promotion.kind === 'build' ? promotion : null,
  };
}

function running(state: State): Promotion {
  if (!state.promotion) throw new Error('no promotion is running');
  return state.promotion;
}

function timed(promotion: Promotion, ms: number): Promotion {
  if (promotion.failure) return promotion;
  return {
    ...promotion,
    durationsMs: { ...promotion.durationsMs, [promotion.stage]: Math.round(ms) },
  };
}

function onStandby(state: State, promotion: Promotion): Promotion {
  const slot = idleSlot(state);
  return { ...promotion, slot, previousRelease: state.slots[slot].release };
}

function enterStart(state: State, promotion: Promotion): State {
  const slot = idleSlot(state);
  return {
    ...withRelease(state, slot, promotion.release),
    promotion: {
      ...promotion,
      stage: 'start',
      slot,
      previousRelease: state.slots[slot].release,
    },
  };
}

function enterFlip(state: State, promotion: Promotion): State {
  return {
    ...state,
    epoch: state.epoch + 1,
    active: promotion.slot,
    promotion: { ...promotion, stage: 'flip' },
  };
}

/**
 * What only a flip that has succeeded changes, since one that failed must leave no trace. A rollback pauses
 * edits, or else the next keystroke would undo it.
 */
function afterFlip(state: State, promotion: Promotion, finishedAt: string): State {
  const flipped = {
    ...state,
    failedOverFrom: null,
    paused: state.paused || promotion.trigger === 'rollback',
  };
  if (retired(state).release === null) {
    return finish(flipped, promotion, success(promotion), finishedAt);
  }
  return { ...flipped, promotion: { ...promotion, stage: 'drain' } };
}

function flippedBack(state: State, promotion: Promotion): State {
  const previous = otherSlot(promotion.slot as Slot);
  const active = state.slots[previous].release === null ? null : previous;
  return { ...state, epoch: state.epoch + 1, active };
}

function putBack(state: State, failed: Promotion): State {
  const slot = failed.slot as Slot;
  return { ...withRelease(state, slot, failed.previousRelease), promotion: failed };
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
  finishedAt: string,
  complaint: string | null = null,
): State {
  const last: LastPromotion = {
    id: promotion.id,
    release: promotion.release,
    outcome,
    stage: promotion.failure?.stage ?? promotion.stage,
    error: promotion.failure?.message ?? complaint,
    finishedAt,
    durationsMs: promotion.durationsMs,
    trigger: promotion.trigger,
    startedAt: promotion.startedAt,
  };
  return { ...state, promotion: null, last };
}

/** What the controller does next for the running promotion. */
export type Step = Stage | 'put back';

export function nextStep(promotion: Promotion): Step {
  return promotion.failure ? 'put back' : promotion.stage;
}
