import { expect, test } from 'vitest';
import { ending } from '../../../src/controller/fleet/ending.ts';
import {
  adopt,
  afterSuccess,
  begin,
  type NewPromotion,
  named,
  pausedInFleet,
} from '../../../src/controller/promotion/machine.ts';
import type { State } from '../../../src/slots/state.ts';
import { at, BUILT, EDIT, fail, NOW, ROLLBACK, SITE, succeed } from '../../support/state-model.ts';

const BEFORE = { epoch: 4, release: SITE.slots.blue.release as string };
const MEMBER: State = { ...SITE, fleet: BEFORE };
const PART = { epoch: 5, role: 'lead', previous: BEFORE } as const;
const LED: NewPromotion = { ...EDIT, fleet: PART };
const BACK: NewPromotion = { ...ROLLBACK, fleet: PART };

test('a machine serves the fleet’s next epoch from its flip on, and not before', () => {
  const checked = at('check', LED, MEMBER);
  expect(checked.fleet).toEqual(BEFORE);
  expect(succeed(checked).fleet).toEqual({ epoch: 5, release: BUILT });
});

test('a flip that fails leaves the machine at the epoch that it served', () => {
  const flipping = at('flip', LED, MEMBER);
  expect(fail(flipping).fleet).toEqual(BEFORE);
});

test('a machine alone knows of no fleet', () => {
  const flipped = at('drain');
  expect('fleet' in flipped).toBe(false);
});

test('a rollback of the fleet waits for the other machines, in the check of the warm standby', () => {
  const { promotion, epoch } = begin(MEMBER, BACK);
  expect(promotion).toMatchObject({ step: 'check', release: ROLLBACK.release });
  expect(epoch).toBe(MEMBER.epoch);
});

test('a machine remembers that all were rolled back, so that nobody takes its files for older ones', () => {
  const checking = begin(MEMBER, BACK);
  expect(succeed(checking).fleet).toEqual({ epoch: 5, release: 'r1', rollback: true });
});

test('a rollback of one machine sets it apart until it is resumed', () => {
  const flipped = afterSuccess(begin(MEMBER, ROLLBACK), 5, NOW);
  expect(flipped.fleet).toEqual({ ...BEFORE, apart: true });
  expect(pausedInFleet(flipped, false, true)).toMatchObject({ paused: false, fleet: BEFORE });
});

test('a machine that is paused by itself is remembered as such', () => {
  const paused = pausedInFleet(MEMBER, true, true);
  expect(paused).toMatchObject({ paused: true, fleet: { ...BEFORE, pausedAlone: true } });
  expect(pausedInFleet(paused, false, false).fleet).toEqual(BEFORE);
  expect(pausedInFleet(MEMBER, true, false).fleet).toEqual(BEFORE);
});

test('a machine that is paused by itself stays so through the flips of the others, and through one that fails', () => {
  const paused = pausedInFleet(MEMBER, true, true);
  const flipping = at('flip', LED, paused);
  expect(flipping.fleet).toEqual({ epoch: 5, release: BUILT, pausedAlone: true });
  expect(fail(flipping).fleet).toEqual({ ...BEFORE, pausedAlone: true });
  const adopted = adopt(paused, { epoch: 9, release: 'r9' });
  expect(adopted.fleet).toEqual({ epoch: 9, release: 'r9', pausedAlone: true });
});

test('a machine that serves the release already takes the epoch over', () => {
  expect(adopt(MEMBER, { epoch: 9, release: 'r9' }).fleet).toEqual({ epoch: 9, release: 'r9' });
});

test('the others are told how a promotion of the fleet ends, once', () => {
  const begun = named(begin(MEMBER, LED), BUILT);
  expect(ending(MEMBER, begun)).toBeNull();
  expect(ending(begun, succeed(begun))).toBeNull();
  const flipping = at('flip', LED, MEMBER);
  const flipped = succeed(flipping);
  expect(ending(flipping, flipped)).toMatchObject({ is: 'flipped', promotion: { id: LED.id } });
  expect(ending(flipped, succeed(flipped))).toBeNull();
  const checking = at('check', LED, MEMBER);
  const failed = fail(checking);
  expect(ending(checking, failed)).toMatchObject({ is: 'over', why: 'it broke' });
  expect(ending(failed, succeed(failed))).toBeNull();
  expect(ending(begun, fail(begun))).toMatchObject({ is: 'over', why: 'it broke' });
  const same = named(begun, null);
  expect(ending(same, succeed(same))).toMatchObject({ is: 'over', why: 'nothing has changed' });
});
