import { expect, test } from 'vitest';
import type { Status } from '../../src/controller/admin/status.ts';
import { announcementOf, sentenceOfPromotion, stepsOf } from '../../src/dashboard/stages.ts';

const BEGIN = Date.parse('2026-01-01T00:00:00.000Z');

type Running = NonNullable<Status['promotion']>;

function running(change: Partial<Running>): Pick<Status, 'promotion' | 'last'> {
  const promotion: Running = {
    id: 'p',
    stage: 'build',
    release: null,
    startedAt: new Date(BEGIN).toISOString(),
    trigger: 'edit',
    durationsMs: {},
    ...change,
  };
  return { promotion, last: null };
}

const short = (status: Pick<Status, 'promotion' | 'last'>, now: number) =>
  stepsOf(status, now).map(({ stage, state, ms }) => `${stage} ${state} ${ms}`);

test('a page opened in mid-build shows how long the build has run, not how long the page has been open', () => {
  expect(short(running({}), BEGIN + 42_000)[0]).toBe('build running 42000');
});

test('a page opened in a later stage shows the stages before it as the controller timed them', () => {
  const status = running({ stage: 'check', durationsMs: { build: 30_000, start: 2000 } });
  expect(short(status, BEGIN + 32_500)).toEqual([
    'build done 30000',
    'start done 2000',
    'check running 500',
    'flip todo null',
    'drain todo null',
    'reload todo null',
  ]);
});

test('the stages that a rollback to the standby does not need are shown as such', () => {
  const status = running({ stage: 'drain', durationsMs: { flip: 5 }, trigger: 'rollback' });
  expect(short(status, BEGIN + 1005).slice(0, 5)).toEqual([
    'build skipped null',
    'start skipped null',
    'check skipped null',
    'flip done 5',
    'drain running 1000',
  ]);
});

test('a clock that is behind the machine of the site shows no time before the begin', () => {
  expect(short(running({}), BEGIN - 2000)[0]).toBe('build running 0');
});

test('a failed promotion shows which stages it did not reach', () => {
  const last: Status['last'] = {
    id: 'p',
    release: 'r1',
    outcome: 'failed',
    stage: 'start',
    error: 'exited with code 1',
    finishedAt: new Date(BEGIN).toISOString(),
    durationsMs: { build: 900, start: 100 },
  };
  expect(short({ promotion: null, last }, BEGIN).slice(0, 3)).toEqual([
    'build done 900',
    'start failed 100',
    'check missed null',
  ]);
  const status = { promotion: null, last } as Status;
  expect(sentenceOfPromotion(status, BEGIN)).toBe(
    'r1 failed in start just now, after 1.0 s. Visitors saw nothing of it.',
  );
  expect(announcementOf(status)).toBe('The promotion failed in start: exited with code 1');
});
