/** Several sites on one front: none of what happens to it, or to one of them, is felt by visitors of another. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Slot } from '../../src/slots/slot.ts';
import { type TestFront, testFront } from '../support/front.ts';
import { type Load, startLoad } from '../support/load.ts';
import { PLAIN_PATHS, type PlainSite } from '../support/plain-site.ts';
import { signalProcess } from '../support/processes.ts';
import { until } from '../support/until.ts';
import { pageOf, pidOf, RECOVERY_TIMEOUT_MS } from './fault-site.ts';
import { percentile, recordFault, times } from './table.ts';

const PROMOTIONS = times(6, 100);
const RELOADS = times(2, 10);
const FLOOD = times(1000, 10_000);

/** Each trouble comes so often, with a calm before it that its visitors are compared with. */
const ROUNDS = times(1, 3);
/** Of each site, in a calm, and at least while a trouble lasts. */
const SAMPLE = 250;

const LOAD = { paths: PLAIN_PATHS, keepAlive: 4, fresh: 2, pauseMs: 10 };

/** Each site has an address of loopback for its name, so that visitors need no names. */
const HOSTS = ['127.0.0.2', '127.0.0.3', '127.0.0.4'];

/** Site 0 has the troubles. */
interface Trio {
  front: TestFront;
  sites: PlainSite[];
  loads: Load[];
  /** How long the visitors of all but the first site have waited since it was emptied, in milliseconds. */
  waits: number[];
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
  const waits: number[] = [];
  const loads = HOSTS.map((host, i) => {
    const onQuick = i === 0 ? () => {} : (ms: number) => void waits.push(ms);
    return startLoad(urlOf(front, host), { ...LOAD, onQuick });
  });
  return { front, sites, loads, waits };
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

/** A site with a proxy of its own: what it takes of the two cores, it takes past the front. */
interface Beside extends Trio {
  beside: PlainSite;
}

/** What befalls the first site; the visitors of the others are counted. Each is compared with the same work past the front. */
const TROUBLES: Record<string, (all: Beside) => Promise<void>> = {
  'a flood of connections': ({ front }) => flood(HOSTS[0] as string, front.ports.http),
  'for comparison: the same flood past the front, to the slot': async ({ sites }) => {
    const { active, slots } = await (sites[0] as PlainSite).status();
    await flood('127.0.0.1', slots[active as Slot].port);
  },
  'a controller that dies': ({ sites }) => killController(sites[0] as PlainSite),
  'for comparison: the controller of a site past the front': ({ beside }) => killController(beside),
  'a slot that answers nothing': ({ sites }) => hang(sites[0] as PlainSite),
  'for comparison: the slot of a site past the front': ({ beside }) => hang(beside),
  'a registration that is none': async ({ front }) => {
    const name = `nonsense-${performance.now()}`;
    writeFileSync(join(front.slotsHome, 'sites', `${name}.json`), '{');
    const log = join(front.pm2Home, 'logs', 'slots-front-out.log');
    const isSaid = async () => (await readFile(log, 'utf8')).includes(`"site":"${name}"`);
    await until(isSaid, 'it to be said', RECOVERY_TIMEOUT_MS);
  },
  'slots down and slots up': ({ sites }) => downAndUp(sites[0] as PlainSite),
  'for comparison: of a site past the front': ({ beside }) => downAndUp(beside),
};

async function killController(site: PlainSite): Promise<void> {
  signalProcess(await pidOf(site, 'watcher'), 'SIGKILL');
  await until(() => site.status().then(Boolean, () => false), 'another one', RECOVERY_TIMEOUT_MS);
}

async function hang(site: PlainSite): Promise<void> {
  const before = (await site.status()).last?.id;
  await site.behave({ hang: true });
  const failed = async () => {
    const { last } = await site.status();
    return last?.id !== before && last?.outcome === 'failed';
  };
  await until(failed, 'the candidate to be refused', RECOVERY_TIMEOUT_MS);
  await site.behave({});
}

async function downAndUp(site: PlainSite): Promise<void> {
  for (const command of ['down', 'up']) {
    const done = await site.slots(command);
    expect(done, done.stderr).toMatchObject({ exitCode: 0 });
  }
}

/** By a process of its own, for it must not keep the visitors of the others waiting here. */
async function flood(host: string, port: number): Promise<void> {
  const script = fileURLToPath(new URL('flood.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, host, String(port), String(FLOOD)]);
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
}

/** The 99th percentile of what visitors of the others wait while `act` runs, and for a sample of each at least. */
async function p99Of({ loads, waits }: Trio, what: string, act: () => Promise<void>) {
  const others = loads.slice(1);
  const before = others.map((load) => load.requests());
  waits.length = 0;
  await act();
  const goOn = () => others.every((load, i) => load.requests() > (before[i] as number) + SAMPLE);
  await until(goOn, `visitors of the others: ${what}`, RECOVERY_TIMEOUT_MS);
  return percentile(waits, 0.99);
}

test('what befalls one site of a front fails no request of the others', async () => {
  const three = await trio();
  const beside = await three.front.site({ drainTimeoutMs: 2500, proxy: { workers: 1 } });
  const up = await beside.slots('up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  const all = { ...three, beside };
  const [first, ...others] = all.loads as [Load, ...Load[]];
  await first.stop();
  for (const [what, befall] of Object.entries(TROUBLES)) {
    const asked = () => others.reduce((sum, load) => sum + load.requests(), 0);
    const from = asked();
    const p99 = [];
    for (let round = 0; round < ROUNDS; round++) {
      const before = await p99Of(all, 'a calm', async () => {});
      const during = await p99Of(all, what, () => befall(all));
      p99.push({ before, during });
    }
    const counts = { injected: ROUNDS, requests: asked() - from, failed: 0, editsLost: 0 };
    recordFault({ row: 13, fault: what, ...counts, recoveryMs: [], p99 });
  }
  await finish(
    13,
    "one site's trouble, to the others of a front",
    Object.keys(TROUBLES).length * ROUNDS,
    others,
  );
});
