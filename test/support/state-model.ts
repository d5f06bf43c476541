import {
  afterFailure,
  afterSuccess,
  begin,
  failOver,
  type NewPromotion,
  named,
} from '../../src/controller/promotion/machine.ts';
import { EMPTY_STATE, type Stage, type State } from '../../src/slots/state.ts';

export const NOW = '2026-01-02T03:04:05.000Z';
export const BUILT = 'r20260102T030405-aaaaaa';

/** Blue is active on r2, green is the standby on r1. */
export const SITE: State = {
  ...EMPTY_STATE,
  epoch: 2,
  active: 'blue',
  slots: { blue: { release: 'r2' }, green: { release: 'r1' } },
};
export const FAILED_OVER = failOver(SITE);

export const EDIT: NewPromotion = {
  id: 'p1',
  kind: 'build',
  trigger: 'edit',
  release: null,
  startedAt: NOW,
};
export const ROLLBACK: NewPromotion = {
  ...EDIT,
  kind: 'standby',
  trigger: 'rollback',
  release: 'r1',
};
export const OLDER: NewPromotion = { ...EDIT, kind: 'release', trigger: 'rollback', release: 'r0' };

export const succeed = (state: State) => afterSuccess(state, 12.4, NOW);
export const fail = (state: State) =>
  afterFailure(state, { code: 'CHECK_FAILED', message: 'it broke' }, 12.4, NOW);

/** A promotion that has come to a stage. */
export function at(stage: Stage, next: NewPromotion = EDIT, site = SITE): State {
  let state = begin(site, next);
  while (state.promotion?.step !== stage) {
    if (!state.promotion) throw new Error(`there is no stage ${stage}`);
    state = succeed(state.promotion.step === 'build' ? named(state, BUILT) : state);
  }
  return state;
}

/** What is left when a promotion has run to its end. */
export function finished(from: State): State {
  let state = from;
  while (state.promotion) state = succeed(state);
  return state;
}
