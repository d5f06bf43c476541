/**
 * `npm run bench:recipe`: the usual recipe (build aside, `mv`, `pm2 reload`) and `slots`, in turn, on the same
 * site, with the same edits, under the same load; how many requests each of them failed.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { exampleSite } from '../test/support/example-site.ts';
import { type LoadResult, startLoad } from '../test/support/load.ts';
import type { Site } from '../test/support/site.ts';
import { until } from '../test/support/until.ts';

const UPDATES = Number(process.env.BENCH_UPDATES ?? 5);

/** Ten slow clients, twenty fast ones on kept connections, five that connect anew each time. */
const LOAD = {
  paths: ['/', '/posts/mulch/', '/about/', '/rss.xml'],
  keepAlive: 20,
  fresh: 5,
  slow: 10,
  pauseMs: 50,
};

const run = promisify(execFile);
const bin = (name: string) =>
  fileURLToPath(new URL(`../node_modules/.bin/${name}`, import.meta.url));

const recipe = await measureRecipe();
const ours = await measureSlots();
console.log(report('build aside, mv, pm2 reload', recipe));
console.log(report('slots', ours));
if (ours.failed > 0) process.exitCode = 1;

async function measureRecipe(): Promise<LoadResult> {
  const site = await exampleSite({ cleanup: 'caller' });
  // Not the site's own PM2: nothing of slots is to be in the way of the recipe.
  const home = await mkdtemp(join(tmpdir(), 'r-'));
  const env = { ...site.env, PM2_HOME: home };
  const pm2 = (...args: string[]) => run(bin('pm2'), args, { cwd: site.root, env });
  const build = (out: string) =>
    run(bin('astro'), ['build', '--outDir', out], { cwd: site.root, env });
  try {
    await build('dist');
    await writeFile(join(site.root, 'recipe.config.json'), JSON.stringify(recipeApp(site)));
    await pm2('start', 'recipe.config.json');
    return await loadThroughUpdates(site, async () => {
      await build('dist.new');
      await rm(join(site.root, 'dist.old'), { recursive: true, force: true });
      await rename(join(site.root, 'dist'), join(site.root, 'dist.old'));
      await rename(join(site.root, 'dist.new'), join(site.root, 'dist'));
      await pm2('reload', 'recipe');
    });
  } finally {
    await pm2('kill');
    await rm(home, { recursive: true, force: true });
    await site.dispose();
  }
}

function recipeApp({ ports }: Site) {
  const env = { HOST: '127.0.0.1', PORT: String(ports.proxy), NODE_ENV: 'production' };
  const script = 'dist/server/entry.mjs';
  return { apps: [{ name: 'recipe', script, exec_mode: 'cluster', instances: 2, env }] };
}

async function measureSlots(): Promise<LoadResult> {
  const site = await exampleSite({ cleanup: 'caller' });
  try {
    const { exitCode, stderr } = await site.slots('up');
    if (exitCode !== 0) throw new Error(stderr);
    // Saving the file is all there is to do.
    return await loadThroughUpdates(site, async () => {});
  } finally {
    await site.dispose();
  }
}

async function loadThroughUpdates(site: Site, update: () => Promise<unknown>): Promise<LoadResult> {
  const pageShows = async (text: string) =>
    (await site.get('/posts/mulch/').catch(() => null))?.body.includes(text) === true;
  await until(() => pageShows('mulch'), 'the site to answer', 60_000);
  const load = startLoad(site.origin, LOAD);
  for (let count = 1; count <= UPDATES; count++) {
    const text = `Update ${count} of ${UPDATES}.`;
    await site.edit('mulch', text);
    await update();
    await until(() => pageShows(text), `update ${count}`, 120_000);
    // Slow requests that began on the old release end within this time, or not at all.
    await delay(3000);
  }
  return load.stop();
}

function report(name: string, { requests, failed, failures, byKind }: LoadResult): string {
  const each = (failed / UPDATES).toFixed(1);
  const kinds = Object.entries(byKind)
    .filter(([, kind]) => kind.requests > 0)
    .map(([kind, { requests: of, failed: bad }]) => `${kind} ${bad} of ${of}`);
  const lines = [
    `${name}: ${failed} of ${requests} requests failed over ${UPDATES} updates, ${each} each (${kinds.join(', ')})`,
    ...failures.slice(0, 3).map((failure) => `  e.g. ${failure}`),
  ];
  return lines.join('\n');
}
