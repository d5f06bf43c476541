/** Several sites on one front: none of what happens to it, or to one of them, is felt by visitors of another. */
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type TestFront, testFront } from '../support/front.ts';
import { type Load, startLoad } from '../support/load.ts';
import { PLAIN_PATHS, type PlainSite } from '../support/plain-site.ts';
import { signalProcess } from '../support/processes.ts';
import { until } from '../support/until.ts';
import { pageOf, pidOf, RECOVERY_TIMEOUT_MS } from './fault-site.ts';
import { recordFault, times } from './table.ts';

const PROMOTIONS = times(6, 100);
const RELOADS = times(2, 10);
const FLOOD = times(1000, 10_000);

const LOAD = { paths: PLAIN_PATHS, keepAlive: 4, fresh: 2, pauseMs: 10 };

/** Each site has an address of loopback for its name, so that visitors need no names. */
const HOSTS = ['127.0.0.2', '127.0.0.3', '127.0.0.4'];

interface Trio {
  front: TestFront;
  sites: PlainSite[];
  loads: Load[];
}

async function trio(): Promise<Trio> {
  const front = await testFront({ host: '0.0.0.0', drainTimeoutMs: 3000 });
  const sites: PlainSite[] = [];
  for (const host of HOSTS) {
    const site = await front.site({ hosts: [host], drainTimeoutMs: 2500 });
    const up = await site.slots('up');
    expect(up, up.stderr).toMatchObject({ exitCode: 0 });
    sites.push(site);
  }
  return { front, sites, loads: HOSTS.map((host) => startLoad(urlOf(front, host), LOAD)) };
}

const urlOf = (front: TestFront, host: string) => `http://${host}:${front.ports.http}`;

async function untilPage({ front, sites }: Trio, i: number, body: string): Promise<void> {
  const isLive = async () => {
    if ((await front.get(HOSTS[i] as string)).body !== body) return false;
    const { promotion, watcher } = await (sites[i] as PlainSite).status();
    return promotion === null && watcher.pending === 0;
  };
  await until(isLive, `${body} to be live on site ${i}`, RECOVERY_TIMEOUT_MS);
}

async function finish(
  row: number,
  fault: string,
  injected: number,
  loads: Load[],
  recoveryMs: number[] = [],
) {
  const results = await Promise.all(loads.map((load) => load.stop()));
  const requests = results.reduce((sum, result) => sum + result.requests, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  recordFault({ row, fault, injected, requests, failed, editsLost: 0, recoveryMs });
  expect(results.flatMap(({ failures }) => failures)).toEqual([]);
  expect(failed).toBe(0);
  for (const result of results) expect(result.requests).toBeGreaterThan(100);
}

test(`no request fails over ${PROMOTIONS} promotions of three sites and ${RELOADS} reloads of their front`, async () => {
  const all = await trio();
  const flipMs: number[] = [];
  for (let n = 1; n <= PROMOTIONS; n++) {
    const i = n % HOSTS.length;
    const begun = performance.now();
    await (all.sites[i] as PlainSite).edit('page.txt', pageOf(n));
    await untilPage(all, i, pageOf(n));
    flipMs.push(performance.now() - begun);
    if (n % Math.floor(PROMOTIONS / RELOADS) !== 0) continue;
    const reload = await all.front.run('reload');
    expect(reload, reload.stderr).toMatchObject({ exitCode: 0 });
  }
  await finish(
    12,
    'promotions and reloads, three sites on one front',
    PROMOTIONS,
    all.loads,
    flipMs,
  );
});

/** What befalls the first site; the visitors of the others are counted. */
const TROUBLES: Record<string, (all: Trio) => Promise<void>> = {
  'a flood of connections': async ({ front }) => {
    const sockets: Socket[] = [];
    const host = HOSTS[0] as string;
    for (let i = 0; i < FLOOD; i++) {
      const socket = connect(front.ports.http, host).on('error', () => {});
      socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      sockets.push(socket);
      if (i % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
    }
    for (const socket of sockets) socket.destroy();
  },
  'a controller that dies': async ({ sites }) => {
    const [site] = sites as [PlainSite];
    signalProcess(await pidOf(site, 'watcher'), 'SIGKILL');
    await until(() => site.status().then(Boolean, () => false), 'another one', RECOVERY_TIMEOUT_MS);
  },
  'a slot that answers nothing': async (all) => {
    const [site] = all.sites as [PlainSite];
    await site.behave({ hang: true });
    const failed = async () => (await site.status()).last?.outcome === 'failed';
    await until(failed, 'the candidate to be refused', RECOVERY_TIMEOUT_MS);
  },
  'a registration that is none': async ({ front }) => {
    writeFileSync(join(front.slotsHome, 'sites', 'nonsense.json'), '{');
    const isSaid = async () => (await front.status()).sites.some(({ name }) => name === 'nonsense');
    await until(isSaid, 'it to be said', RECOVERY_TIMEOUT_MS);
  },
  'slots down and slots up': async ({ sites }) => {
    const [site] = sites as [PlainSite];
    for (const command of ['down', 'up']) {
      const done = await site.slots(command);
      expect(done, done.stderr).toMatchObject({ exitCode: 0 });
    }
  },
};

test('what befalls one site of a front fails no request of the others', async () => {
  const all = await trio();
  const [first, ...others] = all.loads as [Load, ...Load[]];
  await first.stop();
  for (const [what, befall] of Object.entries(TROUBLES)) {
    const before = others.map((load) => load.requests());
    await befall(all);
    const goOn = () => others.every((load, i) => load.requests() > (before[i] as number) + 20);
    await until(goOn, `visitors of the others after ${what}`, RECOVERY_TIMEOUT_MS);
  }
  await finish(
    13,
    "one site's trouble, to the others of a front",
    Object.keys(TROUBLES).length,
    others,
  );
});
