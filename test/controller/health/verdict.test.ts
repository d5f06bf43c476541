import { expect, test } from 'vitest';
import type { ProbeAnswer } from '../../../src/controller/health/probe.ts';
import { judge } from '../../../src/controller/health/verdict.ts';

function answer(status: number, release: string | null = 'r1'): ProbeAnswer {
  return { status, release, pid: 1, location: null, setsCookie: false };
}

test.each([200, 204, 302, 399])('status %i of the expected release is well', (status) => {
  expect(judge(answer(status), 'r1')).toEqual({ is: 'well' });
});

test.each([199, 400, 500, 503])(
  'status %i of the expected release is unwell, with the status',
  (status) => {
    expect(judge(answer(status), 'r1')).toEqual({ is: 'unwell', why: `status ${status}` });
  },
);

test('a good answer of another release is foreign, and names it', () => {
  expect(judge(answer(200, 'r0'), 'r1')).toEqual({ is: 'foreign', why: 'answered by r0' });
});

test('a good answer without a release is another program', () => {
  const why = 'answered by another program';
  expect(judge(answer(200, null), 'r1')).toEqual({ is: 'foreign', why });
});

test('where any release may answer, the status alone counts', () => {
  expect(judge(answer(200, null), null)).toEqual({ is: 'well' });
  expect(judge(answer(503), null)).toEqual({ is: 'unwell', why: 'status 503' });
});

test('no answer is silence, and a timeout is told in words', () => {
  const timeout = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
  expect(judge(timeout, 'r1')).toEqual({ is: 'silent', why: 'no answer in time' });
  const refused = new Error('connect ECONNREFUSED 127.0.0.1:4322');
  expect(judge(refused, 'r1')).toEqual({ is: 'silent', why: refused.message });
});

test.each([
  [401, 'set "health.path"'],
  [403, '"health.host"'],
  [404, 'set "health.path"'],
  [421, '"health.host"'],
])('status %i is told with what to set in the config', (status, advice) => {
  expect(judge(answer(status), 'r1')).toMatchObject({
    is: 'unwell',
    why: expect.stringContaining(advice),
  });
});
