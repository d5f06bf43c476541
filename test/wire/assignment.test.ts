import { expect, test } from 'vitest';
import { EMPTY_STATE } from '../../src/slots/state.ts';
import { readAssignment, toAssignment } from '../../src/wire/assignment.ts';

const RUNNING = {
  ...EMPTY_STATE,
  epoch: 7,
  active: 'green' as const,
  slots: { blue: { release: 'r1' }, green: { release: 'r2' } },
};

test('an assignment carries epoch, revision, releases and warmth, and nothing of the rest', () => {
  const now = { revision: 3, warm: { blue: true, green: false } };
  expect(toAssignment(RUNNING, now)).toEqual({
    epoch: 7,
    revision: 3,
    active: 'green',
    slots: { blue: { release: 'r1', warm: true }, green: { release: 'r2', warm: false } },
  });
});

test('an assignment without a controller calls nothing warm, since nobody has looked', () => {
  const { active, slots } = readAssignment(RUNNING);
  expect(active).toBe('green');
  expect([slots.blue.warm, slots.green.warm]).toEqual([false, false]);
});

const FAILED = {
  id: 'one',
  release: 'r1',
  outcome: 'failed' as const,
  stage: 'build' as const,
  error: 'x',
  trigger: 'start' as const,
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:00:09.000Z',
  durationsMs: {},
};

test('an assignment says that the first build has failed, until the next one runs or a release is live', () => {
  const failed = { ...EMPTY_STATE, last: FAILED };
  expect(readAssignment(EMPTY_STATE)).not.toHaveProperty('firstFailed');
  expect(readAssignment(failed)).toMatchObject({ active: null, firstFailed: true });
  expect(readAssignment({ ...failed, promotion: {} })).not.toHaveProperty('firstFailed');
  expect(readAssignment({ ...RUNNING, last: FAILED })).not.toHaveProperty('firstFailed');
});

test('an assignment of the empty state sends visitors nowhere', () => {
  expect(readAssignment(EMPTY_STATE)).toMatchObject({ epoch: 0, active: null });
});
