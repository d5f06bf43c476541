import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { AppRole } from '../../src/config/ecosystem.ts';
import { sitePaths } from '../../src/slots/paths.ts';
import { listReleases } from '../../src/slots/release.ts';
import { startLoad } from '../support/load.ts';
import { PLAIN_PATHS, type PlainSite, plainSite } from '../support/plain-site.ts';
import { processesWith, signalProcess } from '../support/processes.ts';
import type { SiteOptions } from '../support/site.ts';
import { until } from '../support/until.ts';

/** Requests of every short kind, on every path whose answer is the page's text. */
export const LOAD = { paths: PLAIN_PATHS, keepAlive: 6, fresh: 3 };

/** What may stand in `slots/` when nothing happens. */
export const KNOWN_FILES = [
  'blue',
  'green',
  'releases',
  'state.json',
  'source.json',
  'written',
  'history.jsonl',
  'control.sock',
  'run',
  'admin-token',
  'assets',
  'secrets.json',
];

/** Time for what recovers by itself, PM2's backoff included, in milliseconds. */
export const RECOVERY_TIMEOUT_MS = 60_000;

/** A plain site that is up, with a warm standby: the page says `edit 1`. */
export async function faultSite(options: SiteOptions = {}): Promise<PlainSite> {
  const site = await plainSite(options);
  // PM2 doubles its patience with each death until a process has lived for half a minute; here they die by
  // our hand again and again, and it is not PM2's patience that is measured.
  site.env.EXP_BACKOFF_RESET_TIMER = '100';
  site.env.PM2_WORKER_INTERVAL = '200';
  await site.edit('page.txt', pageOf(0));
  const up = await site.slots('up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  await site.edit('page.txt', pageOf(1));
  await untilLive(site, 1);
  return site;
}

export function pageOf(edit: number): string {
  return `edit ${edit}`;
}

/** Which edit a page shows, or `NaN`. */
export function editOf(body: string): number {
  return Number(/^edit (\d+)$/.exec(body)?.[1] ?? Number.NaN);
}

/** Waits until visitors see this edit and nothing is left to do. */
export async function untilLive(site: PlainSite, edit: number): Promise<void> {
  await until(
    async () => {
      if ((await site.get()).body !== pageOf(edit)) return false;
      const { promotion, watcher } = await site.status();
      return promotion === null && watcher.pending === 0;
    },
    `edit ${edit} to be live`,
    RECOVERY_TIMEOUT_MS,
  );
}

export async function killOne(site: PlainSite, role: AppRole): Promise<number> {
  const pid = await pidOf(site, role);
  signalProcess(pid, 'SIGKILL');
  return pid;
}

export async function pidOf(site: PlainSite, role: AppRole): Promise<number> {
  return until(async () => (await site.pids())[role][0], `a process of ${role}`, 30_000);
}

/** Waits for the controller that comes after the one with this pid. */
export async function untilControllerAfter(site: PlainSite, pid: number): Promise<number> {
  return until(
    async () => {
      const [next] = (await site.pids()).watcher;
      return next !== undefined && next !== pid && (await site.status()) && next;
    },
    'PM2 to start the controller again',
    RECOVERY_TIMEOUT_MS,
  );
}

/**
 * What the site should have running and on disk once nothing happens, whatever happened before.
 *
 * @param slots how many slots have a release
 */
export async function expectNothingLeft(site: PlainSite, slots = 2): Promise<void> {
  const { root } = site;
  await until(
    async () => {
      const { watcher, proxy, blue, green } = await site.pids();
      const counts = [watcher, proxy, [...blue, ...green]].map(({ length }) => length);
      return counts.join() === [1, 2, 2 * slots].join();
    },
    'as many processes as there should be',
    RECOVERY_TIMEOUT_MS,
  );
  const daemon = await site.daemonPid();
  const running = await processesWith([root, site.env.PM2_HOME as string]);
  const strangers = running.filter(({ pid }) => pid !== daemon);
  const commands = strangers.map(({ command }) => command).join('\n');
  expect(strangers.length, commands).toBe(3 + 2 * slots);

  const releases = await listReleases(sitePaths(root));
  const names = await readdir(join(root, 'slots/releases'));
  expect(names.sort()).toEqual(releases.map(({ id }) => id).sort());
  const hashes = releases.map(({ sourceHash }) => sourceHash);
  expect(hashes.length - new Set(hashes).size, 'releases of the same content').toBe(0);

  const files = await readdir(join(root, 'slots'));
  expect(files.filter((name) => !KNOWN_FILES.includes(name))).toEqual([]);
}

/** Load of every kind on a site, and a note of each page that is older than what visitors had seen when it was asked for. */
export function loadOfPages(site: PlainSite) {
  const wrong: string[] = [];
  let shown = 1;
  const load = startLoad(site.origin, {
    ...LOAD,
    slow: 2,
    slowPath: '/api/slow?ms=700',
    webSockets: 1,
    complain(_path, { body }) {
      if (editOf(body) < shown) wrong.push(body);
      return null;
    },
  });
  const show = (edit: number) => {
    shown = edit;
  };
  return { load, wrong, show };
}
