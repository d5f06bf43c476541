import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { bringUp, frameworkSite, linkPackages } from '../support/framework-site.ts';
import type { Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

const CONFIG = `import node from '@astrojs/node';
import { slotsCache } from 'two-slots/astro-cache';
export default {
  output: 'server',
  session: false,
  adapter: node({ mode: 'standalone' }),
  security: { checkOrigin: false },
  cache: { provider: slotsCache() },
  routeRules: { '/ruled': { maxAge: 600, tags: ['ruled'] } },
};`;

/** A tag that a field cannot have as it is. */
const TAG = 'größe, 100 %';

/** Shows what is in a file that every instance reads, as a site shows its database. */
const PAGE = `---
import { readFileSync } from 'node:fs';
Astro.cache.set({ maxAge: 600, swr: 60, tags: ['posts', ${JSON.stringify(TAG)}] });
---
<p>{readFileSync(process.env.SLOTS_ROOT + '/database.txt', 'utf8')}</p>
`;

const OTHER = PAGE.replace(/tags: \[.*\]/, "tags: ['others']");

const RULED = `---
import { readFileSync } from 'node:fs';
---
<p>{readFileSync(process.env.SLOTS_ROOT + '/database.txt', 'utf8')}</p>
`;

const WRITE = `import { writeFileSync } from 'node:fs';
export async function POST({ request, cache }) {
  const { text, invalidate } = await request.json();
  writeFileSync(process.env.SLOTS_ROOT + '/database.txt', text);
  await cache.invalidate(invalidate);
  return new Response('written');
}
`;

const PAGES = ['/', '/other', '/ruled'];

async function cachedSite(): Promise<Site> {
  const site = await frameworkSite({
    files: {
      'package.json': JSON.stringify({
        private: true,
        type: 'module',
        dependencies: { astro: '7', '@astrojs/node': '11', 'two-slots': '*' },
      }),
      'astro.config.mjs': CONFIG,
      'database.txt': 'first',
      'src/pages/index.astro': PAGE,
      'src/pages/other.astro': OTHER,
      'src/pages/ruled.astro': RULED,
      'src/pages/write.js': WRITE,
    },
    config: { watch: ['src'], instances: 2, proxy: { workers: 2 } },
    async modules(root) {
      await mkdir(join(root, 'node_modules'), { recursive: true });
      await linkPackages(root, 'astro', '@astrojs/node');
      await symlink(REPOSITORY, join(root, 'node_modules/two-slots'));
    },
  });
  await bringUp(site);
  return site;
}

/** Asks until each of the two workers has all pages in memory. */
async function fillBoth(site: Site): Promise<void> {
  await until(async () => {
    for (const path of PAGES) await site.get(path);
    return (await site.status()).cache.entries === 2 * PAGES.length;
  }, 'both workers to have every page');
}

/** What visitors on many connections see, on either worker. */
async function seen(site: Site, path: string): Promise<string[]> {
  const texts = new Set<string>();
  for (let i = 0; i < 16; i++) {
    const { body, headers } = await site.get(path);
    expect(Object.keys(headers).filter((name) => name.startsWith('slots-cache'))).toEqual([]);
    texts.add(/<p>(.*)<\/p>/.exec(body)?.[1] as string);
  }
  return [...texts];
}

async function write(site: Site, text: string, invalidate: object): Promise<void> {
  const body = JSON.stringify({ text, invalidate });
  const answer = await fetch(`${site.origin}/write`, { method: 'POST', body });
  expect(answer.status, await answer.text()).toBe(200);
}

/** What visitors see, after what was invalidated has been asked for on both workers. */
async function seenOnBoth(site: Site): Promise<string[][]> {
  const texts = await Promise.all(PAGES.map((path) => seen(site, path)));
  await fillBoth(site);
  return texts;
}

test('what an Astro site sets and invalidates holds for all workers, whichever instance has said it', async () => {
  const site = await cachedSite();
  await fillBoth(site);

  // Nobody has said that it changed: this is from memory.
  await writeFile(join(site.root, 'database.txt'), 'unsaid');
  expect(await seenOnBoth(site)).toEqual([['first'], ['first'], ['first']]);
  expect((await site.get('/')).headers['cache-status']).toContain('slots; hit');

  await write(site, 'second', { tags: [TAG] });
  expect(await seenOnBoth(site)).toEqual([['second'], ['first'], ['first']]);

  await write(site, 'third', { path: '/other' });
  expect(await seenOnBoth(site)).toEqual([['second'], ['third'], ['first']]);

  await write(site, 'fourth', { tags: ['others', 'ruled'], path: '/' });
  expect(await seenOnBoth(site)).toEqual([['fourth'], ['fourth'], ['fourth']]);

  // An entry without tags, or none at all, names nothing; it must not be taken for everything.
  await write(site, 'fifth', { tags: [] });
  expect(await seenOnBoth(site)).toEqual([['fourth'], ['fourth'], ['fourth']]);

  expect(await site.slots('purge', '--tag', 'posts', 'ruled')).toMatchObject({
    exitCode: 0,
    stdout: 'forgot 4 answers\n',
  });
  expect(await seenOnBoth(site)).toEqual([['fifth'], ['fourth'], ['fifth']]);
});

test('an invalidation that no controller hears of fails, and says so', async () => {
  const site = await cachedSite();
  const { watcher } = await site.pids();
  for (const pid of watcher) process.kill(pid, 'SIGSTOP');
  const body = JSON.stringify({ text: 'second', invalidate: { tags: ['posts'] } });
  const answer = await fetch(`${site.origin}/write`, { method: 'POST', body });
  for (const pid of watcher) process.kill(pid, 'SIGCONT');
  expect(answer.status).toBe(500);
});
