import { mkdir, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { sitePaths } from '../../src/slots/paths.ts';
import { plainSite } from '../support/plain-site.ts';
import { smallDisk } from '../support/small-disk.ts';
import { spaSite } from '../support/spa-site.ts';
import { openTab, testBrowser } from '../support/tab.ts';
import { until } from '../support/until.ts';

const RELEASES = 20;
const ROUTES = ['about', 'contact', 'pricing'];

const visit = (page: Page, route: string) => page.evaluate(`visit(${JSON.stringify(route)})`);

test('a tab that was opened twenty releases ago finds every lazy route, style, image and font of its release', async ({
  skip,
}) => {
  const browser = await testBrowser(skip);
  const site = await spaSite();
  expect(await site.slots('up')).toMatchObject({ exitCode: 0 });
  const { page, missing } = await openTab(browser, site);
  await page.getByText('home of first').waitFor();
  const { release } = await site.get('/');
  const old = await site.files();

  for (let n = 1; n <= RELEASES; n++) await site.publish(`release ${n}`);
  expect(await readdir(sitePaths(site.root).releases)).not.toContain(release);
  for (const route of ROUTES) {
    await visit(page, route);
    await page.getByText(`${route} of first`).waitFor();
  }
  expect(missing()).toEqual([]);

  for (const file of old) {
    expect(await site.get(file)).toMatchObject({ status: 200, release });
  }
  // Nothing of the newest release comes from there, and what no release had is missing as ever.
  const newest = (await site.get('/')).release;
  for (const file of await site.files()) expect((await site.get(file)).release).toBe(newest);
  expect(await site.get('/assets/never-Bx3k9ZaQ.js')).toMatchObject({
    status: 404,
    release: newest,
  });
  const { skew } = await site.status();
  expect(skew?.files).toBe((RELEASES + 1) * 13);
  expect((await site.slots('status')).stdout).toContain(`${skew?.files} hashed files are kept`);
}, 240_000);

test('with skew off a tab of an earlier release misses its files', async ({ skip }) => {
  const browser = await testBrowser(skip);
  const site = await spaSite({ config: { skew: false } });
  expect(await site.slots('up')).toMatchObject({ exitCode: 0 });
  const { page, missing } = await openTab(browser, site);
  await page.getByText('home of first').waitFor();
  const [file] = await site.files();
  await site.publish('second');
  expect((await site.get(file)).status).toBe(404);
  for (const route of ROUTES) await expect(visit(page, route)).rejects.toThrow();
  expect(missing().length).toBeGreaterThanOrEqual(ROUTES.length);
  expect(await stat(sitePaths(site.root).assets).catch(() => null)).toBeNull();
});

test('an archive that was wiped comes back from the kept releases when the controller starts, which its log says', async () => {
  const site = await spaSite();
  await site.slots('up');
  const { release } = await site.get('/');
  const old = await site.files();
  await site.publish('second');
  const { watcher } = await site.pids();
  const [controller] = watcher as [number];
  // A promotion's end waits for no archive, which would be written while it is removed.
  process.kill(controller, 'SIGSTOP');
  await rm(sitePaths(site.root).assets, { recursive: true });
  expect((await site.get(old[0])).status).toBe(404);

  process.kill(controller, 'SIGKILL');
  await until(async () => (await site.get(old[0])).status === 200, 'the file to be back');
  for (const file of old) expect(await site.get(file)).toMatchObject({ status: 200, release });
  expect((await site.slots('logs', 'watcher', '-n', '200')).stdout).toContain('assets.rebuilt');
});

test('a disk that is full of other things costs the archive, and every promotion goes on', async ({
  skip,
}) => {
  const full = await smallDisk(skip, 4096);
  const site = await spaSite();
  const { assets, slots } = sitePaths(site.root);
  await mkdir(slots);
  await symlink(full, assets);
  expect(await site.slots('up')).toMatchObject({ exitCode: 0 });
  await site.publish('second');
  expect((await site.status()).last).toMatchObject({ outcome: 'promoted', error: null });
  const { stdout } = await site.slots('logs', 'watcher', '-n', '200');
  expect(stdout).toContain('assets.failed');
  expect(stdout).toContain('ENOSPC');
});

test('the processes of every release get the same keys but for those that the site has set, and no log shows them', async () => {
  const site = await plainSite({ config: { env: { ASTRO_KEY: 'my own key' } } });
  await site.slots('up');
  const name = 'NEXT_SERVER_ACTIONS_ENCRYPTION_KEY';
  const before = (await site.get(`/env?name=${name}`)).body;
  const stored = JSON.parse(await readFile(sitePaths(site.root).secrets, 'utf8'));
  expect(before).toBe(stored[name]);
  expect((await site.get('/env?name=ASTRO_KEY')).body).toBe('my own key');
  await site.edit('page.txt', 'second');
  await until(async () => (await site.get()).body === 'second', 'the second release');
  expect((await site.get(`/env?name=${name}`)).body).toBe(before);
  await site.settled();
  const shown = (await site.slots('logs', 'watcher', '-n', '500')).stdout;
  expect(shown).not.toContain(before);
});
