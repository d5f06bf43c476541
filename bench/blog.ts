/**
 * `npm run bench:blog`: the example blog as users run it, under PM2 with every default, and with the line of config that lets
 * its pages come from memory.
 *
 * - Pages a second, with and without.
 * - How many pages come from memory in the first second after a flip, when nobody but visitors has filled the new release's.
 */
import { Agent } from 'node:http';
import type { UserConfig } from '../src/config/schema.ts';
import { exampleSite } from '../test/support/example-site.ts';
import type { Page, Site } from '../test/support/site.ts';
import { until } from '../test/support/until.ts';
import { type LoadResult, wrk } from './load.ts';
import { median } from './table.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 5);
const FLIPS = Number(process.env.BENCH_UPDATES ?? 5);
const CONNECTIONS = 32;
const WARM_UP_SECONDS = 2;

/** For what is asked while a flip comes: enough to be a crowd, few enough to leave the build some of the machine. */
const VISITORS = 8;

const SIDES: { name: string; config: UserConfig }[] = [
  { name: 'every default', config: {} },
  { name: "cache: { untilRelease: ['/**'] }", config: { cache: { untilRelease: ['/**'] } } },
];

/** A blog that runs, and what has been measured of it. */
interface Running {
  name: string;
  site: Site;
  pages: string[];
  rounds: LoadResult[];
  /** Of each flip: the part of the first second's answers that came from memory. */
  shares: number[];
}

const running: Running[] = [];
try {
  for (const { name, config } of SIDES) {
    const site = await exampleSite({ config, cleanup: 'caller' });
    const one: Running = { name, site, pages: [], rounds: [], shares: [] };
    running.push(one);
    const { exitCode, stderr } = await site.slots('up');
    if (exitCode !== 0) throw new Error(stderr);
    one.pages = await pagesOf(site);
  }
  // In turn, so that what else the machine does meets both.
  for (const one of running) await measure(one, WARM_UP_SECONDS);
  for (let round = 0; round < ROUNDS; round++) {
    for (const one of running) one.rounds.push(await measure(one, SECONDS));
  }
  for (let flip = 1; flip <= FLIPS; flip++) {
    for (const { site, pages, shares } of running) shares.push(await afterFlip(site, pages, flip));
  }
  report();
} finally {
  for (const { site } of running) await site.dispose();
}

function report(): void {
  console.log(
    '| the blog, as deployed | pages/s | p50 | p99 | from memory in the first second after a flip |',
  );
  console.log('|---|--:|--:|--:|--:|');
  for (const { name, pages, rounds, shares } of running) {
    const perSecond = median(rounds.map(({ requests, seconds }) => requests / seconds));
    const ms = (which: 'p50' | 'p99') =>
      `${(median(rounds.map((round) => round[which])) / 1000).toFixed(1)} ms`;
    const share = `${(100 * median(shares)).toFixed(1)} % of ${pages.length} pages' visits`;
    const cells = [name, Math.round(perSecond), ms('p50'), ms('p99'), share];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

/** Those that the front page and the pages that it leads to link to. */
async function pagesOf(site: Site): Promise<string[]> {
  const found = new Set(['/']);
  for (let round = 0; round < 2; round++) {
    for (const path of [...found]) {
      const { body } = await site.get(path);
      for (const [, link] of body.matchAll(/<a\b[^>]*\shref="(\/[^"#?]*)"/g))
        found.add(link as string);
    }
  }
  const answers = await Promise.all(
    [...found].map(async (path) => ({ path, page: await site.get(path) })),
  );
  return answers
    .filter(({ page }) => page.status === 200 && isHtml(page))
    .map(({ path }) => path)
    .sort();
}

function isHtml({ headers }: Page): boolean {
  return String(headers['content-type']).startsWith('text/html');
}

async function measure({ name, site, pages }: Running, seconds: number): Promise<LoadResult> {
  process.env.BENCH_PAGES = pages.join('\n');
  const options = { connections: CONNECTIONS, seconds, script: 'pages.lua' };
  const result = await wrk('any', site.origin, options);
  if (result.requests === 0 || result.errors > 0) {
    throw new Error(`${name}: ${result.errors} failed, ${result.requests} did not`);
  }
  return result;
}

/** @returns the part of the first second's answers of a new release that came from memory */
async function afterFlip(site: Site, pages: string[], flip: number): Promise<number> {
  const { release: before } = await site.get('/');
  const agent = new Agent({ keepAlive: true, maxSockets: VISITORS });
  const seen: { at: number; hit: boolean }[] = [];
  let isOver = false;
  let asked = 0;
  const visit = async () => {
    while (!isOver) {
      const { release, status, headers } = await site.get(pages[asked++ % pages.length], agent);
      if (status !== 200) throw new Error(`a visitor got ${status} over a flip`);
      if (release === before) continue;
      seen.push({
        at: performance.now(),
        hit: String(headers['cache-status']).startsWith('slots; hit'),
      });
    }
  };
  const visitors = Promise.all(Array.from({ length: VISITORS }, visit));
  await site.edit('mulch', `Flip ${flip}.`);
  const isSecondOver = () => (seen.at(-1)?.at ?? 0) - (seen[0]?.at ?? Number.NaN) > 1000;
  await Promise.race([visitors, until(isSecondOver, 'a second after the flip', 120_000)]);
  isOver = true;
  await visitors;
  agent.destroy();
  await site.settled(120_000);
  const end = (seen[0]?.at ?? 0) + 1000;
  const first = seen.filter(({ at }) => at <= end);
  return first.filter(({ hit }) => hit).length / first.length;
}
