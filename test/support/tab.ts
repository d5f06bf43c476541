import { rm } from 'node:fs/promises';
import type { Browser, Page, Response } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { sitePaths } from '../../src/slots/paths.ts';
import { startBrowser } from './browser.ts';
import { skipFor } from './needs.ts';
import type { Site } from './site.ts';
import { until } from './until.ts';

/** A browser until the test has finished; without one the test is skipped. */
export async function testBrowser(skip: (reason: string) => void): Promise<Browser> {
  const browser = await startBrowser();
  skipFor(skip, typeof browser === 'string' ? browser : null);
  onTestFinished(() => (browser as Browser).close());
  return browser as Browser;
}

export interface Tab {
  page: Page;
  /** All that the site has answered it. */
  answers: Response[];
  /** What it has asked for and not got. */
  missing(): string[];
}

/** A tab on the site's front page, closed after the test. */
export async function openTab(browser: Browser, site: Site): Promise<Tab> {
  const context = await browser.newContext({ locale: 'en-US' });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const answers: Response[] = [];
  page.on('response', (response) => answers.push(response));
  await page.goto(site.origin);
  const missing = () =>
    answers
      // A browser asks every site for one.
      .filter((answer) => answer.status() >= 400 && !answer.url().endsWith('/favicon.ico'))
      .map((answer) => `${answer.status()} ${answer.url()}`);
  return { page, answers, missing };
}

/**
 * A module with a style, an image and a font, which a page loads when its button is pressed; each of them has this text in it,
 * so that an edit changes every hash.
 *
 * @param folder of the site that they lie in
 */
export function lazyFiles(folder: string, text: string): Record<string, string> {
  const filling = `${text} `.repeat(2000);
  return {
    [`${folder}/photo.png`]: `no real image: ${filling}`,
    [`${folder}/font.woff2`]: `no real font: ${filling}`,
    [`${folder}/lazy.css`]: `@font-face { font-family: lazy; src: url(./font.woff2); }
.lazy { font-family: lazy; --of: "${text}"; }`,
    [`${folder}/lazy.js`]: `import './lazy.css';
export function show() {
  const image = new Image();
  image.src = new URL('./photo.png', import.meta.url).href;
  const line = document.createElement('p');
  line.className = 'lazy';
  line.textContent = 'lazy of ${text}';
  line.append(image);
  document.body.append(line);
}`,
    [`${folder}/token.js`]: `export const token = '${text}';`,
  };
}

/** Far more than are kept. `SLOTS_RELEASES=3` is for whoever has not the minutes that a framework's builds take. */
const RELEASES = Number(process.env.SLOTS_RELEASES ?? 20);

/** For a test's limit: a busy machine takes half a minute for a build of Nuxt's. */
export const TWENTY_BUILDS_MS = 1_800_000;

/** Publishes a release in which every file that the page may load has another name. */
export async function publish(site: Site, folder: string, text: string): Promise<void> {
  for (const [file, content] of Object.entries(lazyFiles(folder, text))) {
    await site.edit(file, content);
  }
  await until(
    async () => (await site.get('/')).body.includes(`token of ${text}`),
    `${text} to be live`,
    120_000,
  );
  await site.settled(120_000);
}

/**
 * A tab on a page with a `token of first` and a button that loads the module: releases follow, and then the button is pressed.
 * The module, its style, its image and its font are those of the tab's own release.
 */
export async function expectTabOutlives(browser: Browser, site: Site, folder: string) {
  const { page, answers, missing } = await openTab(browser, site);
  await page.getByText('token of first').waitFor();
  const { release } = await site.get('/');
  // A press counts only when the framework has taken over the page.
  await page.waitForLoadState('networkidle');
  const before = answers.length;
  for (let n = 1; n <= RELEASES; n++) await publish(site, folder, `release ${n}`);
  await page.getByRole('button').click();
  await page.getByText('lazy of first').waitFor();
  const late = () => answers.slice(before).map((answer) => answer.url());
  for (const name of ['photo', 'font']) {
    await until(
      () => late().some((url) => url.includes(`/${name}`)),
      `the ${name} to be asked for`,
    );
  }
  expect(missing()).toEqual([]);
  const old: string[] = [];
  for (const answer of answers.slice(before)) {
    const its = await answer.headerValue('x-slots-release');
    if (its === release) old.push(new URL(answer.url()).pathname);
  }
  expect(old.length).toBeGreaterThanOrEqual(3);

  // The control: without the archive each of them is missing. No controller writes it while it is removed.
  const { watcher } = await site.pids();
  for (const pid of watcher) process.kill(pid, 'SIGSTOP');
  await rm(sitePaths(site.root).assets, { recursive: true });
  for (const path of old) expect((await site.get(path)).status, path).toBe(404);
  for (const pid of watcher) process.kill(pid, 'SIGCONT');
}

/** The control: with `skew: false` one release is enough for such a tab to miss its files. */
export async function expectTabMisses(browser: Browser, site: Site, folder: string) {
  const { page, missing } = await openTab(browser, site);
  await page.getByText('token of first').waitFor();
  await page.waitForLoadState('networkidle');
  expect(missing()).toEqual([]);
  await publish(site, folder, 'second');
  await page.getByRole('button').click();
  await until(() => missing().length > 0, 'the tab to miss its files');
  expect(missing().every((answer) => answer.startsWith('404 '))).toBe(true);
}
