import { expect, test } from 'vitest';
import type { Facts } from '../../../src/cli/doctor/facts.ts';
import { isComplete } from '../../../src/cli/doctor/facts.ts';
import { checkApps, checkPromotion, checkWorkers } from '../../../src/cli/doctor/running.ts';
import { sitePaths } from '../../../src/slots/paths.ts';
import { EMPTY_STATE, type State } from '../../../src/slots/state.ts';
import { doctorFacts, instanceOf } from '../../support/doctor-facts.ts';
import { releaseIdOf } from '../../support/temp-site.ts';
import { testConfig } from '../../support/test-config.ts';

const paths = sitePaths('/srv/site');
const online = instanceOf(paths);
const state: State = {
  ...EMPTY_STATE,
  epoch: 3,
  active: 'blue',
  slots: { blue: { release: releaseIdOf(2) }, green: { release: releaseIdOf(1) } },
};

function running(changes: Record<string, Partial<typeof online>[]> = {}): Facts['apps'] {
  const roles = ['watcher', 'proxy', 'blue', 'green'];
  return new Map(
    roles.map((role) => [
      `site-${role}`,
      (changes[role] ?? [{}, {}]).map((change) => ({ ...online, ...change })),
    ]),
  );
}

const levels = (apps: Facts['apps'], with_: State = state) =>
  checkApps(doctorFacts(paths, { apps, state: with_ })).map(({ level }) => level);

test('the apps are well when all run', () => {
  expect(levels(running())).toEqual(['ok', 'ok', 'ok', 'ok']);
});

test('the apps may rest before the first `slots up`, and not after it', () => {
  expect(levels(new Map(), EMPTY_STATE)).toEqual(['ok']);
  expect(levels(new Map())).toEqual(['warning']);
});

test('the apps are a problem where one that visitors need does not run', () => {
  const stopped = [{ status: 'stopped' }];
  expect(levels(running({ proxy: stopped }))).toEqual(['ok', 'problem', 'ok', 'ok']);
  expect(levels(running({ blue: stopped }))).toEqual(['ok', 'ok', 'problem', 'ok']);
  expect(levels(running({ green: stopped }))).toEqual(['ok', 'ok', 'ok', 'warning']);
  expect(levels(running({ watcher: [] }))).toEqual(['problem', 'ok', 'ok', 'ok']);
});

test('the apps may have an empty slot', () => {
  const one = { ...state, slots: { ...state.slots, green: { release: null } } };
  expect(levels(running({ green: [{ status: 'stopped' }] }), one)[3]).toBe('ok');
});

test('the apps are a warning where some processes are missing, or start again and again', () => {
  expect(levels(running({ blue: [{}, { status: 'errored' }] }))[2]).toBe('warning');
  expect(levels(running({ proxy: [{ restarts: 9, uptimeMs: 900 }] }))[1]).toBe('warning');
  expect(levels(running({ blue: [{ restarts: 9, uptimeMs: 900 }] }))[2]).toBe('ok');
});

test("the apps are a problem where another site's have the name", () => {
  const [check] = checkApps(
    doctorFacts(paths, { state, apps: running({ watcher: [{ root: '/srv/other' }] }) }),
  );
  expect(check).toMatchObject({ level: 'problem', message: 'is an app of /srv/other' });
});

const worker = (pid: number, epoch: number) => ({ pid, epoch, inflight: { blue: 0, green: 0 } });
const check = (workers: unknown[], promotion: unknown = null) => {
  const status = { epoch: 3, promotion, proxy: { workers } } as unknown as Facts['status'];
  return checkWorkers(doctorFacts(paths, { status }))[0];
};

test('the workers must all have acknowledged the epoch', () => {
  expect(check([worker(1, 3), worker(2, 3)])).toMatchObject({ level: 'ok' });
  expect(check([worker(1, 3)])).toMatchObject({ level: 'warning' });
  expect(check([])).toMatchObject({ level: 'problem' });
  const behind = check([worker(1, 3), worker(2, 2)]);
  expect(behind).toMatchObject({ level: 'problem', message: '2 did not acknowledge epoch 3' });
});

test('the workers may be behind for a moment while a promotion runs', () => {
  expect(check([worker(1, 3), worker(2, 2)], { stage: 'flip' })).toMatchObject({
    level: 'warning',
  });
});

test('a failed promotion, a pause and a fail-over are told', () => {
  const last = {
    id: 'p',
    release: null,
    outcome: 'failed',
    stage: 'build',
    error: 'no title',
    finishedAt: new Date().toISOString(),
    durationsMs: {},
    trigger: 'edit',
    startedAt: new Date().toISOString(),
  } as const;
  const changed: State = { ...state, paused: true, failedOverFrom: 'green', last };
  const checks = checkPromotion(doctorFacts(paths, { state: changed }));
  expect(checks.map(({ level }) => level)).toEqual(['problem', 'warning', 'warning']);
  expect(checks[2]?.message).toContain('failed in build, just now: no title');
});

test('a controller that has just started is waited for until each worker routes by its epoch', () => {
  const config = testConfig({ proxy: { workers: 2 } });
  const inflight = { blue: 0, green: 0 };
  const workers = (...epochs: number[]) => epochs.map((epoch, pid) => ({ pid, epoch, inflight }));
  const complete = (...epochs: number[]) =>
    isComplete({ epoch: 4, proxy: { port: 1, workers: workers(...epochs) } }, config);
  expect([complete(), complete(4), complete(4, 3), complete(4, 4), complete(4, 4, 4)]).toEqual([
    false,
    false,
    false,
    true,
    true,
  ]);
});
