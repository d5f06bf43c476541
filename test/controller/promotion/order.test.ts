import { expect, test } from 'vitest';
import {
  buildOrder,
  type Goal,
  resolveGoal,
  rollbackOrder,
} from '../../../src/controller/promotion/order.ts';
import { EMPTY_STATE } from '../../../src/slots/state.ts';
import { at, EDIT, FAILED_OVER, finished, SITE } from '../../support/state-model.ts';

const TO_STANDBY: Goal = { kind: 'standby', release: null };
const toRelease = (release: string): Goal => ({ kind: 'release', release });

const well = () => true;
const dead = () => false;

test('an order to build stays one, whatever the state is', () => {
  for (const state of [EMPTY_STATE, SITE, FAILED_OVER]) {
    expect(resolveGoal(state, buildOrder('edit'), well)).toEqual({ kind: 'build', release: null });
  }
});

test('an order for a rollback names a release or means the standby', () => {
  expect(rollbackOrder(null)).toMatchObject({ ...TO_STANDBY, trigger: 'rollback' });
  expect(rollbackOrder('r0')).toMatchObject({ ...toRelease('r0'), trigger: 'rollback' });
});

test('a rollback to what the standby has warm is a flip', () => {
  expect(resolveGoal(SITE, TO_STANDBY, well)).toEqual({ kind: 'standby', release: 'r1' });
  expect(resolveGoal(SITE, toRelease('r1'), well)).toEqual({ kind: 'standby', release: 'r1' });
});

test('a rollback to a standby that is not well is a start of its release', () => {
  expect(resolveGoal(SITE, TO_STANDBY, dead)).toEqual(toRelease('r1'));
});

test('a rollback to a kept release is a start of that', () => {
  expect(resolveGoal(SITE, toRelease('r0'), well)).toEqual(toRelease('r0'));
});

test('a rollback to a standby that is not there is refused', () => {
  expect(() => resolveGoal(EMPTY_STATE, TO_STANDBY, well)).toThrow('there is no standby');
  const first = finished(at('flip', EDIT, EMPTY_STATE));
  expect(() => resolveGoal(first, TO_STANDBY, well)).toThrow('there is no standby');
});

test('a rollback to what visitors see already is refused', () => {
  expect(() => resolveGoal(SITE, toRelease('r2'), well)).toThrow('r2 is what visitors see');
});
