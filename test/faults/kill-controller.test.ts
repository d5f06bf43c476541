import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readHistory } from '../../src/slots/history.ts';
import { sitePaths } from '../../src/slots/paths.ts';
import { startLoad } from '../support/load.ts';
import type { PlainSite } from '../support/plain-site.ts';
import { signalProcess } from '../support/processes.ts';
import {
  editOf,
  expectNothingLeft,
  faultSite,
  LOAD,
  pageOf,
  pidOf,
  untilControllerAfter,
  untilLive,
} from './fault-site.ts';
import { type Moment, readStateAllTheTime, type StateReader } from './state-reader.ts';
import { recordFault, times } from './table.ts';

const MOMENTS: Moment[] = ['build', 'start', 'check', 'flip', 'drain', 'reload', 'end'];

const KILLS = times(MOMENTS.length + 3, 200);

/** What a whole promotion of this site takes, generously, in milliseconds. */
const PROMOTION_MS = 1500;

/** The first kills are at the very moment that a stage begins, then every second one; the others anywhere. */
async function killAt(kill: number, pid: number, reader: StateReader): Promise<string> {
  const shoot = () => signalProcess(pid, 'SIGKILL');
  if (kill < MOMENTS.length || kill % 2 === 0) {
    const index = kill < MOMENTS.length ? kill : kill / 2;
    const moment = MOMENTS[index % MOMENTS.length] as Moment;
    return reader.at(moment, shoot);
  }
  const ms = Math.random() * PROMOTION_MS;
  await delay(ms);
  shoot();
  return `${Math.round(ms)} ms after the edit`;
}

/** Kills the next controller too, while it recovers. */
async function killAgain(site: PlainSite, pid: number): Promise<number> {
  let next = pid;
  while (next === pid) next = await pidOf(site, 'watcher');
  await delay(Math.random() * 600);
  signalProcess(next, 'SIGKILL');
  return next;
}

test(`loses nothing and fails no request when the controller is killed ${KILLS} times`, async () => {
  const site = await faultSite({ config: { keep: 1000 } });
  const reader = readStateAllTheTime(site.root);
  let oldest = 0;
  const load = startLoad(site.origin, {
    ...LOAD,
    complain: (_path, { body }) => (editOf(body) >= oldest ? null : `an old page: ${body}`),
  });
  const recoveryMs: number[] = [];
  const lost: string[] = [];
  let edit = 1;
  let injected = 0;
  for (let kill = 0; injected < KILLS; kill++) {
    const pid = await pidOf(site, 'watcher');
    await site.edit('page.txt', pageOf(++edit));
    const where = await killAt(kill, pid, reader);
    const killed = performance.now();
    injected++;
    const isTwice = kill >= MOMENTS.length && kill % 5 === 3;
    const last = isTwice ? await killAgain(site, pid) : pid;
    if (isTwice) injected++;
    if (kill % 3 === 2) await site.edit('page.txt', pageOf(++edit));
    await untilControllerAfter(site, last);
    await untilLive(site, edit).catch((error: Error) => lost.push(`${where}: ${error.message}`));
    recoveryMs.push(performance.now() - killed);
    // A page that was replaced one edit ago can be on no visitor's way any more.
    oldest = edit - 2;
  }
  const { requests, failed, failures } = await load.stop();
  const { reads, bad } = reader.stop();
  recordFault({
    row: 1,
    fault: 'kill -9 the controller',
    injected,
    requests,
    failed,
    editsLost: lost.length,
    recoveryMs,
  });
  expect(lost).toEqual([]);
  expect(failures).toEqual([]);
  expect(bad).toEqual([]);
  expect(reads).toBeGreaterThan(KILLS * 10);
  expect((await site.get()).body).toBe(pageOf(edit));
  await expectNothingLeft(site);
  await expectHistory(site);
});

/** Each promotion that came to an end is told once, the last one among them. */
async function expectHistory(site: PlainSite): Promise<void> {
  const history = await readHistory(sitePaths(site.root));
  const ids = history.map(({ id }) => id);
  expect(ids.length - new Set(ids).size, 'entries told twice').toBe(0);
  expect(history.at(-1)?.id).toBe((await site.status()).last?.id);
  const told = history
    .filter(({ outcome }) => outcome === 'promoted')
    .map(({ release }) => release);
  const { slots, active } = await site.status();
  expect(told.at(-1)).toBe(slots[active].release);
}
