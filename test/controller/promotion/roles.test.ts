import { expect, test } from 'vitest';
import {
  hasStandby,
  idleSlot,
  reroutes,
  roles,
  type Step,
  warmSlots,
} from '../../../src/controller/promotion/roles.ts';
import { EMPTY_STATE } from '../../../src/slots/state.ts';
import { at, EDIT, FAILED_OVER, fail, SITE } from '../../support/state-model.ts';

test('the idle slot is the one that is not active, and blue at first', () => {
  expect([EMPTY_STATE, SITE, FAILED_OVER].map(idleSlot)).toEqual(['blue', 'green', 'blue']);
});

/** Of blue and green: their roles, which one is fallen back to, whether visitors may fail over. */
test.each([
  ['empty', () => EMPTY_STATE, 'down down', 'none', false],
  ['the first start', () => at('start', EDIT, EMPTY_STATE), 'candidate down', 'none', false],
  ['the first flip', () => at('flip', EDIT, EMPTY_STATE), 'active down', 'none', false],
  ['at rest', () => SITE, 'active standby', 'green', true],
  ['failed over', () => FAILED_OVER, 'down active', 'blue', true],
  ['building', () => at('build'), 'active standby', 'green', true],
  ['failed over, building', () => at('build', EDIT, FAILED_OVER), 'down active', 'blue', true],
  ['dead, starting', () => at('start', EDIT, FAILED_OVER), 'candidate active', 'none', false],
  ['starting', () => at('start'), 'active candidate', 'none', false],
  ['flipping', () => at('flip'), 'retiring active', 'blue', false],
  ['draining', () => at('drain'), 'retiring active', 'blue', false],
  ['reloading', () => at('reload'), 'retiring active', 'none', false],
  ['putting back', () => fail(at('check')), 'active candidate', 'none', false],
  ['flipped back', () => fail(at('flip')), 'active candidate', 'none', false],
])('%s, the slots are what they should be', (_name, build, expected, warm, standby) => {
  const state = build();
  const { blue, green } = roles(state);
  expect(`${blue} ${green}`).toBe(expected);
  expect(warmSlots(state)).toEqual({ blue: warm === 'blue', green: warm === 'green' });
  expect(hasStandby(state)).toBe(standby);
});

test('every step that touches a slot waits for the workers first', () => {
  const steps: Step[] = ['build', 'start', 'check', 'flip', 'drain', 'reload', 'put back'];
  expect(steps.filter(reroutes)).toEqual(['start', 'flip', 'drain', 'reload', 'put back']);
});
