import { expect, test } from 'vitest';
import {
  afterFailure,
  afterRestart,
  afterSuccess,
  begin,
  catchUp,
  endDrain,
  failBack,
  failOver,
  type NewPromotion,
  named,
  setPaused,
  withoutStandby,
} from '../../../src/controller/promotion/machine.ts';
import { resolveGoal } from '../../../src/controller/promotion/order.ts';
import { EMPTY_STATE } from '../../../src/slots/state.ts';
import {
  at,
  BUILT,
  EDIT,
  FAILED_OVER,
  fail,
  finished,
  NOW,
  OLDER,
  ROLLBACK,
  SITE,
  succeed,
} from '../../support/state-model.ts';

test('a promotion that succeeds leaves both slots alone while it builds', () => {
  const { promotion, ...state } = named(begin(SITE, EDIT), BUILT);
  expect({ ...state, promotion: null }).toEqual(SITE);
  expect(promotion).toEqual({ ...EDIT, step: 'build', release: BUILT, durationsMs: {} });
});

test('a build that makes no release ends its promotion, and changes nothing else', () => {
  const building = named(begin(SITE, EDIT), BUILT);
  expect(afterSuccess(named(building, null), 5, NOW)).toEqual(SITE);
});

test('a promotion that succeeds is not begun while another one runs', () => {
  expect(() => begin(at('check'), EDIT)).toThrow('promotion p1 is still running');
});

test('a promotion that succeeds starts the new release in the idle slot and remembers what was there', () => {
  const { slots, active, promotion } = at('start');
  expect(slots).toEqual({ blue: { release: 'r2' }, green: { release: BUILT } });
  expect(active).toBe('blue');
  expect(promotion).toMatchObject({ slot: 'green', previous: 'r1', release: BUILT });
});

test('a promotion that succeeds moves visitors with the flip, and not before', () => {
  expect(at('check')).toMatchObject({ epoch: 2, active: 'blue' });
  expect(at('flip')).toMatchObject({ epoch: 3, active: 'green' });
});

test('a promotion that succeeds ends with how long each stage took, in whole milliseconds', () => {
  expect(finished(at('start'))).toMatchObject({
    active: 'green',
    slots: { blue: { release: 'r2' }, green: { release: BUILT } },
    last: { id: 'p1', release: BUILT, outcome: 'promoted', stage: 'reload', error: null },
  });
  const durationsMs = { build: 12, start: 12, check: 12, flip: 12, drain: 12, reload: 12 };
  expect(finished(at('start')).last).toMatchObject({ durationsMs, finishedAt: NOW });
});

test('a promotion that succeeds with the first release goes to blue and ends with the flip', () => {
  const state = at('flip', EDIT, EMPTY_STATE);
  expect(state).toMatchObject({ epoch: 1, active: 'blue' });
  const { promotion, last } = succeed(state);
  expect(promotion).toBeNull();
  expect(last).toMatchObject({ outcome: 'promoted', stage: 'flip' });
});

test('a promotion that fails: while it builds ends at once and leaves everything as it was', () => {
  const { last, ...state } = fail(named(begin(SITE, EDIT), BUILT));
  expect({ ...state, last: null }).toEqual(SITE);
  expect(last).toMatchObject({ outcome: 'failed', stage: 'build', error: 'it broke' });
  expect(last?.durationsMs).toEqual({ build: 12 });
});

test.each([
  ['start', 'a build', EDIT, 2],
  ['check', 'a build', EDIT, 2],
  ['flip', 'a build', EDIT, 4],
  ['flip', 'a kept release', OLDER, 4],
  ['flip', 'the standby', ROLLBACK, 4],
] as const)(
  'a promotion that fails in the %s of %s puts the standby back',
  (stage, _name, order, epoch) => {
    const failed = fail(at(stage, order));
    expect(failed).toMatchObject({ epoch, active: 'blue', slots: SITE.slots });
    expect(failed.promotion).toMatchObject({
      step: 'put back',
      slot: 'green',
      previous: 'r1',
      failure: { stage, message: 'it broke' },
    });
    const { last, ...state } = afterSuccess(failed, 999, NOW);
    expect({ ...state, last: null }).toEqual({ ...SITE, epoch });
    expect(last?.durationsMs[stage]).toBe(12);
    expect(last).toMatchObject({ outcome: 'failed', stage, error: 'it broke' });
  },
);

test('a promotion that fails in the first flip shows visitors what they saw before: nothing', () => {
  const state = succeed(fail(at('flip', EDIT, EMPTY_STATE)));
  expect({ ...state, last: null }).toEqual({ ...EMPTY_STATE, epoch: 2 });
});

test.each(['drain', 'reload'] as const)(
  'a promotion that fails in the %s stands, with a complaint',
  (stage) => {
    const { active, promotion, last } = fail(at(stage));
    expect(active).toBe('green');
    expect(promotion).toBeNull();
    expect(last).toMatchObject({ outcome: 'promoted', stage, error: 'it broke' });
  },
);

test('a promotion whose retired release is gone at the reload ends without a standby', () => {
  const gone = { code: 'RELEASE_UNKNOWN', message: 'there is no release r2' } as const;
  expect(afterFailure(at('reload'), gone, 1, NOW)).toMatchObject({
    active: 'green',
    slots: { blue: { release: null }, green: { release: BUILT } },
    last: { outcome: 'promoted', stage: 'reload', error: 'there is no release r2' },
  });
});

test('a promotion that fails in the flip leaves visitors to go back to the slot that died', () => {
  const state = succeed(fail(at('flip', EDIT, FAILED_OVER)));
  expect(state).toMatchObject({ active: 'green', failedOverFrom: 'blue' });
  expect(failBack(state)).toMatchObject({ active: 'blue', slots: SITE.slots });
});

test('a controller that was killed builds again', () => {
  const state = named(begin(SITE, EDIT), BUILT);
  expect(afterRestart(state, false)).toEqual({ state: SITE, again: 'edit' });
});

test('a controller that was killed does not build again what is built already', () => {
  const { state, again } = afterRestart(named(begin(SITE, EDIT), BUILT), true);
  expect(again).toBeNull();
  expect(state.promotion).toMatchObject({ id: 'p1', step: 'start', release: BUILT });
  expect(finished(state)).toMatchObject({ active: 'green', last: { outcome: 'promoted' } });
});

test.each(['start', 'check'] as const)(
  'a controller that was killed in the %s starts the same candidate again',
  (stage) => {
    const { state, again } = afterRestart(at(stage), true);
    expect(again).toBeNull();
    expect(state).toEqual({
      ...at('start'),
      promotion: { ...at(stage).promotion, step: 'start' },
    });
  },
);

test.each(['start', 'check'] as const)(
  'a controller that was killed in the %s of what an edit has overtaken puts back and builds',
  (stage) => {
    const { state, again } = afterRestart(at(stage), false);
    expect(again).toBe('edit');
    expect(state.promotion).toMatchObject({ step: 'put back', previous: 'r1' });
    expect(succeed(state)).toMatchObject({
      ...SITE,
      last: { outcome: 'failed', stage, error: `the controller was stopped during ${stage}` },
    });
  },
);

test('a controller that was killed does not try a rollback again whose release is gone', () => {
  expect(afterRestart(at('start', OLDER), false).again).toBeNull();
});

test.each([
  ['in the flip', () => at('flip')],
  ['in the drain', () => at('drain')],
  ['in the reload', () => at('reload')],
  ['while it put the standby back', () => fail(at('check'))],
  ['between promotions', () => SITE],
])('a controller that was killed: %s goes on where it was', (_name, build) => {
  const state = build();
  expect(afterRestart(state, true)).toEqual({ state, again: null });
  expect(afterRestart(state, false)).toEqual({ state, again: null });
});

test('a rollback to a warm standby is a flip', () => {
  const { epoch, active, slots, promotion } = begin(SITE, ROLLBACK);
  expect({ epoch, active, slots }).toEqual({ epoch: 3, active: 'green', slots: SITE.slots });
  expect(promotion).toMatchObject({ step: 'flip', slot: 'green', previous: 'r1' });
});

test('a rollback to a kept release starts it in the idle slot, without a build', () => {
  expect(begin(SITE, OLDER)).toMatchObject({
    slots: { blue: { release: 'r2' }, green: { release: 'r0' } },
    promotion: { step: 'start', slot: 'green', previous: 'r1' },
  });
});

test('a rollback is refused when a fail-over has come between the order and its beginning', () => {
  expect(() => begin(FAILED_OVER, ROLLBACK)).toThrow('r1 is no longer on the standby');
});

test.each([ROLLBACK, OLDER])(
  'a rollback to the $kind pauses edits once it has flipped',
  (order) => {
    expect(at('flip', order).paused).toBe(false);
    expect(at('drain', order).paused).toBe(true);
    expect(finished(begin(SITE, order)).last?.outcome).toBe('rolled-back');
  },
);

test('a rollback: during the drain ends the promotion, with the retiring slot as its standby', () => {
  const ended = endDrain(at('drain'), NOW);
  const last = { outcome: 'promoted', stage: 'drain', error: null };
  expect(ended).toMatchObject({ active: 'green', promotion: null, last });
  const goal = resolveGoal(ended, { kind: 'standby', release: null }, () => true);
  expect(goal).toEqual({ kind: 'standby', release: 'r2' });
});

test('an edit leaves it as it was whether edits are paused', () => {
  expect(finished(at('start')).paused).toBe(false);
  expect(finished(at('start', EDIT, { ...SITE, paused: true })).paused).toBe(true);
});

test('when the active slot dies visitors move to the standby and later back', () => {
  expect(FAILED_OVER).toEqual({ ...SITE, epoch: 3, active: 'green', failedOverFrom: 'blue' });
  expect(failBack(FAILED_OVER)).toEqual({ ...SITE, epoch: 4 });
});

test('when the active slot dies and the other one after it, visitors are back where they belong', () => {
  expect(failOver(FAILED_OVER)).toEqual({ ...SITE, epoch: 4 });
});

test('when the active slot dies: nothing moves without an active slot, and nothing back without a fail-over', () => {
  expect(failOver(EMPTY_STATE)).toBe(EMPTY_STATE);
  expect(failBack(SITE)).toBe(SITE);
});

test('when the active slot dies: during a build, the candidate goes to the slot that died and visitors stay on it', () => {
  const flipped = at('drain', EDIT, FAILED_OVER);
  expect(flipped).toMatchObject({ active: 'blue', failedOverFrom: null });
  expect(flipped.slots).toEqual({ blue: { release: BUILT }, green: { release: 'r1' } });
});

const broken = { code: 'START_TIMEOUT' as const, message: 'nor does this' };
const gone = { code: 'RELEASE_UNKNOWN' as const, message: 'r1 is gone' };

test('putting the standby back that fails itself ends the promotion with both reasons and the failed stage', () => {
  const { promotion, active, slots, last } = afterFailure(fail(at('check')), broken, 999, NOW);
  expect({ promotion, active, slots }).toEqual({
    promotion: null,
    active: 'blue',
    slots: SITE.slots,
  });
  expect(last).toMatchObject({
    outcome: 'failed',
    stage: 'check',
    error: 'it broke; and the standby could not be put back: nor does this',
  });
  expect(last?.durationsMs).toEqual({ build: 12, start: 12, check: 12 });
});

test('putting the standby back leaves no standby when the release to put back is gone', () => {
  const { slots, last } = afterFailure(fail(at('start')), gone, 5, NOW);
  expect(slots).toEqual({ blue: { release: 'r2' }, green: { release: null } });
  expect(last?.error).toContain('r1 is gone');
});

test('pausing what is paused changes nothing', () => {
  const paused = setPaused(SITE, true);
  expect(paused).toEqual({ ...SITE, paused: true });
  expect(setPaused(paused, true)).toBe(paused);
});

test('a standby whose release is gone is none, and nobody goes back to it', () => {
  const slots = { ...SITE.slots, blue: { release: null } };
  expect(withoutStandby(FAILED_OVER, 'blue')).toEqual({
    ...FAILED_OVER,
    slots,
    failedOverFrom: null,
  });
});

test('an epoch that a worker is ahead of is counted past its own, and no other one is', () => {
  expect(catchUp(SITE, 7)).toEqual({ ...SITE, epoch: 8 });
  expect(catchUp(SITE, SITE.epoch)).toEqual({ ...SITE, epoch: 3 });
  expect(catchUp(SITE, 1)).toBe(SITE);
});

const RESTART: NewPromotion = { ...EDIT, kind: 'release', trigger: 'restart', release: 'r2' };

test('a restart flips to the same release and gives the retired slot the release before', () => {
  expect(at('start', RESTART).slots).toEqual({
    blue: { release: 'r2' },
    green: { release: 'r2' },
  });
  expect(at('drain', RESTART)).toMatchObject({ active: 'green', epoch: 3 });
  expect(at('reload', RESTART).slots).toEqual({
    blue: { release: 'r1' },
    green: { release: 'r2' },
  });
  expect(finished(at('start', RESTART))).toMatchObject({
    active: 'green',
    paused: false,
    slots: { blue: { release: 'r1' }, green: { release: 'r2' } },
    last: { outcome: 'promoted', trigger: 'restart', release: 'r2', error: null },
  });
});

test('a restart without a standby leaves none', () => {
  const alone = { ...SITE, slots: { ...SITE.slots, green: { release: null } } };
  expect(finished(at('start', RESTART, alone)).slots).toEqual({
    blue: { release: null },
    green: { release: 'r2' },
  });
});

test('a restart that fails leaves the standby on the release it had', () => {
  expect(finished(fail(at('check', RESTART)))).toMatchObject({
    active: 'blue',
    slots: SITE.slots,
    last: { outcome: 'failed', trigger: 'restart' },
  });
});

test('a restart whose standby is gone from the disk ends without one', () => {
  const gone = { code: 'RELEASE_UNKNOWN', message: 'there is no release r1' } as const;
  const state = afterFailure(at('reload', RESTART), gone, 1, NOW);
  expect(state).toMatchObject({
    slots: { blue: { release: null }, green: { release: 'r2' } },
    last: { outcome: 'promoted', error: 'there is no release r1' },
  });
});

test('a rollback during a restart leads to the release before, whichever slot has it', () => {
  const goal = { kind: 'standby', release: null } as const;
  for (const stage of ['start', 'check', 'flip', 'drain', 'reload'] as const) {
    expect(resolveGoal(at(stage, RESTART), goal, () => true).release).toBe('r1');
  }
  expect(endDrain(at('drain', RESTART), NOW)).toMatchObject({
    active: 'green',
    slots: { blue: { release: 'r1' }, green: { release: 'r2' } },
  });
});

test('a restart is of the release that visitors see, or will see again when the dead slot is well', () => {
  const goal = { kind: 'restart', release: null } as const;
  const wanted = { kind: 'release', release: 'r2' };
  expect(resolveGoal(SITE, goal, () => true)).toEqual(wanted);
  expect(resolveGoal(FAILED_OVER, goal, () => true)).toEqual(wanted);
  expect(finished(at('start', RESTART, FAILED_OVER)).slots).toEqual(SITE.slots);
  expect(() => resolveGoal(EMPTY_STATE, goal, () => true)).toThrow('no release is live yet');
});
