import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testFront } from '../support/front.ts';
import { type Load, startLoad } from '../support/load.ts';
import { PLAIN_PATHS, type PlainSite } from '../support/plain-site.ts';
import { until } from '../support/until.ts';

const RELOADS = 3;
const VISITORS = { paths: PLAIN_PATHS, keepAlive: 8, fresh: 3, webSockets: 1, pauseMs: 20 };

/** Each site has an address of loopback for its name, so that visitors need no names. */
const HOSTS = ['127.0.0.2', '127.0.0.3'];

async function underLoad() {
  const front = await testFront({ host: '0.0.0.0', drainTimeoutMs: 3000 });
  const sites: PlainSite[] = [];
  for (const host of HOSTS) {
    const site = await front.site({ hosts: [host], drainTimeoutMs: 2500 });
    const up = await site.slots('up');
    expect(up, up.stderr).toMatchObject({ exitCode: 0 });
    sites.push(site);
  }
  const loads = HOSTS.map((host) => startLoad(`http://${host}:${front.ports.http}`, VISITORS));
  const pids = async () => (await front.status()).workers.map(({ pid }) => pid);
  return { front, sites, loads, pids };
}

async function expectNoFailure(loads: Load[]): Promise<void> {
  for (const load of loads) {
    const result = await load.stop();
    expect(result.failures).toEqual([]);
    expect(result.failed).toBe(0);
    expect(result.requests).toBeGreaterThan(200);
  }
}

test('a reload gives the front as many workers as front.json says by now, and no request fails', async () => {
  const { front, loads, pids } = await underLoad();
  const file = join(front.slotsHome, 'front.json');
  const config = JSON.parse(await readFile(file, 'utf8'));
  for (const workers of [4, 1, 2]) {
    const before = await pids();
    await writeFile(file, JSON.stringify({ ...config, workers }));
    const done = await front.run('reload');
    expect(done, done.stderr).toMatchObject({ exitCode: 0 });
    const now = await pids();
    expect(now).toHaveLength(workers);
    expect(now.filter((pid) => before.includes(pid))).toEqual([]);
    const served = (await front.status()).sites.map((site) => [site.workers, site.problem]);
    expect(served).toEqual(HOSTS.map(() => [workers, null]));
    const answered = loads.map((load) => load.requests());
    const goOn = () => loads.every((load, i) => load.requests() > (answered[i] as number) + 50);
    await until(goOn, `visitors of ${workers} workers`, 60_000);
  }
  await expectNoFailure(loads);
});

test('no request fails when the front is reloaded, its PM2 daemon is killed, and a site is upgraded', async () => {
  const { front, sites, loads, pids } = await underLoad();
  const seen = new Set(await pids());
  for (let reload = 1; reload <= RELOADS; reload++) {
    const done = await front.run('reload');
    expect(done, done.stderr).toMatchObject({ exitCode: 0 });
    for (const pid of await pids()) {
      expect(seen).not.toContain(pid);
      seen.add(pid);
    }
  }

  await front.killDaemon();
  const areBack = async () => {
    const { workers } = await front.status();
    return (
      workers.length === 2 && workers.every(({ pid, orphaned }) => !orphaned && !seen.has(pid))
    );
  };
  await until(areBack, 'new workers in the place of the old ones', 90_000);
  for (const [i, site] of sites.entries()) {
    await until(() => site.status().then(Boolean, () => false), 'a controller', 30_000);
    await site.edit('page.txt', `after ${i}\n`);
    const page = async () => (await front.get(HOSTS[i] as string)).body;
    await until(async () => (await page()) === `after ${i}\n`, 'an edit to be live', 30_000);
  }
  for (const pid of await pids()) seen.add(pid);
  const upgrade = await sites[0]?.slots('upgrade');
  expect(upgrade, upgrade?.stderr).toMatchObject({ exitCode: 0 });
  await until(areBack, 'the workers of the new daemon', 90_000);
  await until(() => sites[1]?.status().then(Boolean, () => false), 'the other controller', 60_000);
  await expectNoFailure(loads);
});
