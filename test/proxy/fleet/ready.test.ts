import { expect, test } from 'vitest';
import { asksReady, type ReadyFacts, readiness } from '../../../src/proxy/fleet/ready.ts';

const READY: ReadyFacts = {
  id: 'one',
  assignment: {
    active: 'blue',
    fleet: { id: 'one', epoch: 7, release: 'r7', notReady: null },
  },
  silentMs: 0,
  fenceMs: null,
};
const TOLD = { id: 'one', epoch: 7, release: 'r7' };

test('a machine that the controller calls ready says which release of which epoch it serves', () => {
  expect(readiness(READY)).toEqual(TOLD);
});

test('a machine is not ready for the reason that the controller gives', () => {
  const fleet = { ...TOLD, notReady: 'it serves r6 still' };
  const facts = { ...READY, assignment: { ...READY.assignment, fleet } };
  expect(readiness(facts)).toEqual({ ...TOLD, why: 'it serves r6 still' });
});

test('a machine is not ready before it has a release, or before the controller has said that it is', () => {
  const { fleet } = READY.assignment;
  const none = { ...READY, assignment: { active: null, ...(fleet && { fleet }) } };
  expect(readiness(none)).toEqual({ ...TOLD, why: 'no release is live here yet' });
  expect(readiness({ ...READY, assignment: { active: 'blue' } })).toEqual({
    id: 'one',
    epoch: 0,
    release: null,
    why: 'the controller has not said yet that it is',
  });
});

test('the last word of a controller that is gone counts on, and with a fence for so long only', () => {
  expect(readiness({ ...READY, silentMs: 1e9 })).toEqual(TOLD);
  expect(readiness({ ...READY, silentMs: 3000, fenceMs: 3000 })).toEqual(TOLD);
  expect(readiness({ ...READY, silentMs: 3001, fenceMs: 3000 })).toEqual({
    ...TOLD,
    why: 'the controller has been silent for 3 s',
  });
});

test.each([
  '/.slots/ready',
  '/.slots/ready?x=1',
  'http://blog.example/.slots/ready',
  'https://a:1/.slots/ready?',
])('%s asks whether the machine is ready', (url) => {
  expect(asksReady(url)).toBe(true);
});

test.each([
  undefined,
  '/',
  '*',
  '/.slots/readyish',
  '/.slots/ready/',
  '/a/.slots/ready',
  '/?/.slots/ready',
  'http://blog.example/a/.slots/ready',
])('%s is for the site', (url) => {
  expect(asksReady(url)).toBe(false);
});
