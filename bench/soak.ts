/**
 * `npm run soak -- [--promotions N | --hours N] [--faults <share>]`: edits of the plain site go live one after
 * the other, under load of every kind and with random faults. Exits with 1 when a request failed that no
 * fault excuses, an edit was lost, or something grew or was left behind.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { duration } from '../src/duration.ts';
import { KNOWN_FILES, pageOf, untilLive } from '../test/faults/fault-site.ts';
import type { FailedRequest } from '../test/support/load/context.ts';
import { type LoadResult, startLoad } from '../test/support/load.ts';
import { PLAIN_PATHS, type PlainSite, plainSite } from '../test/support/plain-site.ts';
import { processesWith } from '../test/support/processes.ts';
import { until } from '../test/support/until.ts';
import { type Damage, FAULTS } from './soak/faults.ts';
import { createGauges } from './soak/gauges.ts';
import { pick, sleep } from './soak/random.ts';

const WARM_UP_PROMOTIONS = 5;

/** A request that an instance was working on as it died fails within this time, in milliseconds. */
const AFTERMATH_MS = 3000;

const FORGET_TIMEOUT_MS = 100_000;
const LOOK_INTERVAL_MS = 5000;

const { values } = parseArgs({
  options: {
    promotions: { type: 'string', default: '500' },
    hours: { type: 'string' },
    /** The share of promotions with a fault beside them, from 0 to 1. */
    faults: { type: 'string', default: '0.3' },
  },
});
const hours = values.hours === undefined ? null : Number(values.hours);
const promotions = hours === null ? Number(values.promotions) : Number.POSITIVE_INFINITY;
const share = Number(values.faults);

const started = performance.now();
const elapsed = () => performance.now() - started;
const site = await plainSite({
  cleanup: 'caller',
  config: { drainTimeoutMs: 1000, proxy: { keepAliveTimeoutMs: 5000 } },
});
// Processes are killed again and again, and it is not PM2's patience that is measured.
Object.assign(site.env, { EXP_BACKOFF_RESET_TIMER: '100', PM2_WORKER_INTERVAL: '1000' });
let complaints: string[] = [];
try {
  complaints = await soak(site);
} catch (error) {
  complaints = [(error as Error).message];
} finally {
  await site.dispose().catch((error: Error) => complaints.push(error.message));
}
for (const complaint of complaints) console.error(`✗ ${complaint}`);
process.exitCode = complaints.length > 0 ? 1 : 0;

async function soak(site: PlainSite): Promise<string[]> {
  await site.edit('page.txt', pageOf(0));
  const up = await site.slots('up');
  if (up.exitCode !== 0) throw new Error(`slots up: ${up.stderr}`);
  const failed: FailedRequest[] = [];
  const load = startLoad(site.origin, {
    paths: PLAIN_PATHS,
    keepAlive: 6,
    fresh: 3,
    slow: 2,
    slowPath: '/api/slow?ms=300',
    events: 1,
    webSockets: 1,
    upload: { bytes: 1024 * 1024, overMs: 500 },
    download: { bytes: 2 * 1024 * 1024, overMs: 500 },
    pauseMs: 20,
    onFailed: (request) => failed.push(request),
  });
  const gauges = createGauges(site);
  const damages: Damage[] = [];
  const injected = new Map<string, number>();
  const lost: string[] = [];

  let edit = 0;
  while (edit < promotions && (hours === null || elapsed() < hours * 3_600_000)) {
    edit++;
    await site.edit('page.txt', pageOf(edit));
    const fault = Math.random() < share ? pick(FAULTS) : undefined;
    if (fault) {
      injected.set(fault.name, (injected.get(fault.name) ?? 0) + 1);
      damages.push(await fault.inject(site));
    }
    await untilLive(site, edit).catch((error: Error) => lost.push(error.message));
    if (edit === WARM_UP_PROMOTIONS) gauges.warmedUp();
    await gauges.sample();
    if (edit % 10 === 0 || edit === promotions) progress();
  }
  const result = await load.stop();
  await settle(site);
  await gauges.sample();
  // PM2 keeps what it reads of a process open for a minute and a half after its end.
  const deadline = performance.now() + FORGET_TIMEOUT_MS;
  while (gauges.complaints().length > 0 && performance.now() < deadline) {
    await sleep(LOOK_INTERVAL_MS);
    await gauges.sample();
  }
  report(result);
  return [...problems(result), ...gauges.complaints(), ...(await leaks(site))];

  function progress(): void {
    const goal = hours === null ? `/${promotions}` : '';
    const memory = `controller ${gauges.latest('watcher')}, daemon ${gauges.latest('daemon')}, worker ${gauges.latest('proxy')} MiB`;
    const unexcused = failed.filter((request) => !isExcused(request)).length;
    console.log(
      `${edit}${goal} promotions  ${duration(elapsed())}  ${load.requests()} requests  ${unexcused} failed, ${failed.length - unexcused} by a kill  ${memory}`,
    );
  }

  function isExcused({ port, begunAt, endedAt }: FailedRequest): boolean {
    return damages.some(
      ({ ports, at }) =>
        (port !== null && ports.has(port)) ||
        (at !== null &&
          begunAt <= at + AFTERMATH_MS &&
          endedAt >= at &&
          endedAt <= at + AFTERMATH_MS),
    );
  }

  function problems(result: LoadResult): string[] {
    const unexcused = failed.filter((request) => !isExcused(request));
    const held = damages.reduce((sum, damage) => sum + damage.held, 0);
    return [
      ...lost,
      ...unexcused.map(({ error, port }) => `failed without a fault: ${error} (port ${port})`),
      ...(result.failed > held
        ? [
            `${result.failed} requests failed, and ${held} connections were killed`,
            ...result.failures,
          ]
        : []),
    ];
  }

  function report({ requests, failed: all, byKind }: LoadResult): void {
    const kinds = Object.entries(byKind).map(([kind, { requests }]) => `${kind} ${requests}`);
    const faults = [...injected].map(([name, count]) => `${name} ${count}`);
    const held = damages.reduce((sum, damage) => sum + damage.held, 0);
    console.log(`
promotions  ${edit} edits live in ${duration(elapsed())}, ${lost.length} lost
requests    ${requests} (${kinds.join(', ')})
failed      ${all}, of connections that were killed with their process: ${held}
faults      ${faults.join(', ') || 'none'}

${gauges.report()}
`);
  }
}

/** Waits for starts and ends under way, which are no leaks. */
async function settle(site: PlainSite): Promise<void> {
  await until(
    async () => {
      const { watcher, proxy, blue, green } = await site.pids();
      return [watcher, proxy, blue, green].map(({ length }) => length).join() === '1,2,2,2';
    },
    'as many processes as there should be',
    60_000,
  ).catch(() => {});
}

async function leaks(site: PlainSite): Promise<string[]> {
  const daemon = await site.daemonPid();
  const running = await processesWith([site.root, site.env.PM2_HOME as string]);
  const processes = running.filter(({ pid }) => pid !== daemon);
  const allowed = [...KNOWN_FILES, 'failed-build.log'];
  const files = (await readdir(join(site.root, 'slots'))).filter((name) => !allowed.includes(name));
  const releases = await readdir(join(site.root, 'slots/releases'));
  // Five are kept, and what the slots point to.
  const tooMany = releases.length > 7 || releases.some((name) => name.endsWith('.partial'));
  return [
    ...(processes.length === 7
      ? []
      : [`${processes.length} processes: ${processes.map(({ command }) => command).join(' · ')}`]),
    ...files.map((name) => `left behind: slots/${name}`),
    ...(tooMany ? [`releases: ${releases.join(', ')}`] : []),
  ];
}
