import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Stage } from '../../src/slots/state.ts';
import { type Load, startLoad } from '../support/load.ts';
import { PLAIN_PATHS, type PlainSite, plainSite } from '../support/plain-site.ts';
import { signalProcess } from '../support/processes.ts';
import { until } from '../support/until.ts';

const LOAD = { paths: PLAIN_PATHS, keepAlive: 6, fresh: 3, pauseMs: 20 };

async function siteWithStandby(): Promise<PlainSite> {
  // A check of many answers leaves the time to stop a worker before the flip.
  const health = { deadlineMs: 20_000, consecutive: 25 };
  const site = await plainSite({ config: { drainTimeoutMs: 30_000, health } });
  await site.slots('up');
  await site.edit('page.txt', 'second');
  await until(async () => (await site.get()).body === 'second', 'the second release');
  await site.settled();
  return site;
}

async function inStage(site: PlainSite, stage: Stage): Promise<void> {
  await until(async () => {
    const state = JSON.parse(await readFile(join(site.root, 'slots/state.json'), 'utf8'));
    return state.promotion?.step === stage;
  }, `the promotion to reach ${stage}`);
}

/** @param meanwhile done before the next controller can look at anything */
async function killController(site: PlainSite, meanwhile: () => Promise<unknown>): Promise<void> {
  const [pid] = (await site.pids()).watcher;
  signalProcess(pid as number, 'SIGKILL');
  await meanwhile();
  await until(
    async () => {
      const [next] = (await site.pids()).watcher;
      return next !== undefined && next !== pid && (await site.status().catch(() => null)) !== null;
    },
    'PM2 to start the controller again',
    30_000,
  );
}

/** How each stage is held long enough to be killed in, and let go of again. */
const HOLDS: Record<Stage, { hold(site: PlainSite): Promise<() => Promise<unknown>> }> = {
  build: {
    async hold(site) {
      await site.behave({ buildHangs: true });
      return () => site.behave({});
    },
  },
  start: {
    async hold(site) {
      await site.behave({ neverListen: true });
      return () => site.behave({});
    },
  },
  check: {
    async hold(site) {
      await site.behave({ status: 500 });
      return () => site.behave({});
    },
  },
  flip: {
    async hold(site) {
      const [pid = 0] = (await site.pids()).proxy;
      const stopped = inStage(site, 'check').then(() => signalProcess(pid, 'SIGSTOP'));
      return async () => {
        await stopped;
        signalProcess(pid, 'SIGCONT');
      };
    },
  },
  drain: {
    async hold(site) {
      const open = site.get('/api/slow?ms=15000');
      return () => open.then(({ status }) => expect(status).toBe(200));
    },
  },
  reload: {
    async hold(site) {
      // The slot to be retired next is slow to stop.
      await site.behave({ ignoreSigint: true });
      await until(async () => (await site.status()).last?.outcome === 'promoted', 'its promotion');
      await site.settled(60_000);
      await site.behave({});
      return async () => {};
    },
  },
};

for (const [stage, { hold }] of Object.entries(HOLDS)) {
  test(`loses no edit and fails no request when the controller is killed in ${stage}`, async () => {
    const site = await siteWithStandby();
    // A stopped worker answers nobody: what its visitors wait for is not what this is about.
    const load: Load | null = stage === 'flip' ? null : startLoad(site.origin, LOAD);
    const release = await hold(site);
    await site.edit('page.txt', 'third');
    await inStage(site, stage as Stage);
    await killController(site, release);

    await until(async () => (await site.get()).body === 'third', 'the edit to be live', 60_000);
    const { last, slots, active } = await site.settled(60_000);
    expect(last).toMatchObject({ outcome: 'promoted', error: null });
    expect(slots[active].role).toBe('active');
    const result = await load?.stop();
    expect(result?.failures ?? []).toEqual([]);
  });
}

test('serves on while the controller is away, and takes up what was edited meanwhile', async () => {
  const site = await siteWithStandby();
  const load = startLoad(site.origin, LOAD);
  const [pid] = (await site.pids()).watcher;
  signalProcess(pid as number, 'SIGKILL');
  await site.edit('page.txt', 'edited while nobody watched');
  await until(
    async () => (await site.get()).body === 'edited while nobody watched',
    'the edit to be live',
    60_000,
  );
  expect((await load.stop()).failures).toEqual([]);
});

test('fails only what was open on a proxy worker that is killed', async () => {
  const site = await siteWithStandby();
  const [pid] = (await site.pids()).proxy;
  const load = startLoad(site.origin, { paths: PLAIN_PATHS, fresh: 4, pauseMs: 5 });
  signalProcess(pid as number, 'SIGKILL');
  await until(async () => {
    const { proxy } = await site.pids();
    return proxy.length === 2 && !proxy.includes(pid as number);
  }, 'PM2 to start the worker again');
  await until(
    async () => (await site.status()).proxy.workers.length === 2,
    'the new worker to join the controller',
  );
  const { failed, failures } = await load.stop();
  // Four clients, so four requests were open at most.
  expect(failed, failures.join('\n')).toBeLessThanOrEqual(4);
  expect((await site.get()).body).toBe('second');
});

test('fails only what one instance was working on when it is killed', async () => {
  const site = await siteWithStandby();
  const { active } = await site.status();
  const load = startLoad(site.origin, { ...LOAD, pauseMs: 5 });
  const [pid] = (await site.pids())[active];
  signalProcess(pid as number, 'SIGKILL');
  await until(async () => {
    const pids = (await site.pids())[active];
    return pids.length === 2 && !pids.includes(pid as number);
  }, 'PM2 to start the instance again');
  await site.get();
  const { failed, failures } = await load.stop();
  expect(failed, failures.join('\n')).toBeLessThanOrEqual(9);
  expect((await site.status()).active).toBe(active);
});

test('moves visitors to the standby when every instance of the active slot dies, and back', async () => {
  const site = await siteWithStandby();
  const { active, slots } = await site.status();
  const standby = active === 'blue' ? 'green' : 'blue';
  // The release that dies goes on dying: its entry is gone.
  const release = slots[active].release as string;
  const entry = join(site.root, 'slots/releases', release, 'dist/server.mjs');
  const { rename } = await import('node:fs/promises');
  await rename(entry, `${entry}.away`);
  for (const pid of (await site.pids())[active]) signalProcess(pid, 'SIGKILL');

  await until(async () => (await site.status()).active === standby, 'the fail-over', 30_000);
  const moved = await site.status();
  expect(moved.failedOverFrom).toBe(active);
  expect((await site.get()).release).toBe(slots[standby].release);
  expect((await site.slots('status')).stdout).toContain(
    `${active} died: visitors are on ${standby}`,
  );

  await rename(`${entry}.away`, entry);
  await until(async () => (await site.status()).active === active, 'the fail-back', 60_000);
  expect((await site.get()).release).toBe(release);
});
