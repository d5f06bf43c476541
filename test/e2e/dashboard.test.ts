import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { dashboardAddress, openDashboard, overflowOf, startBrowser } from '../support/browser.ts';
import { skipFor } from '../support/needs.ts';
import { type PlainSite, plainSite } from '../support/plain-site.ts';
import { until } from '../support/until.ts';

/** Something that would run if it were taken for HTML. */
const MARKUP = '<img src=x onerror="document.title=1">';

/** Prints for a second, as a real build does, and for as long as there is a file `hold`; then builds. */
const SLOW_BUILD = `
  const { existsSync } = require("node:fs");
  const say = (n) => { console.log('page ' + n + ' of 10 ' + ${JSON.stringify(MARKUP)});
    if (n < 10 || existsSync("hold")) setTimeout(say, 100, n + 1); };
  say(1);
`;

let browser: Browser;
let noBrowser: string | null = null;
let site: PlainSite;

beforeAll(async () => {
  const started = await startBrowser();
  if (typeof started === 'string') {
    noBrowser = started;
    return;
  }
  browser = started;
  site = await plainSite({
    cleanup: 'caller',
    config: {
      cache: { untilRelease: ['/file'] },
      build: `node -e '${SLOW_BUILD.replaceAll("'", "'\\''")}' && node build.mjs {outDir}`,
      health: { consecutive: 10, intervalMs: 50 },
    },
  });
  expect(await site.slots('up')).toMatchObject({ exitCode: 0 });
  await publish('second');
});

afterAll(async () => {
  await browser?.close();
  await site?.dispose();
});

beforeEach(({ skip }) => skipFor(skip, noBrowser));

afterEach(() => site?.settled());

async function publish(text: string): Promise<string> {
  await site.edit('page.txt', text);
  await until(async () => (await site.get()).body === text, `${text} to be live`, 30_000);
  await site.settled();
  return (await site.get()).release as string;
}

const visible = (page: Page, selector: string) => page.locator(selector).waitFor();
const card = (page: Page, slot: string) => page.getByRole('article', { name: slot });
const buttonOf = (page: Page, release: string) =>
  page.getByRole('button', { name: `Make ${release} live` });

/** @param text as the page says it: `850 ms`, `4.2 s` */
function milliseconds(text: string): number {
  const [, value, unit] = /^([\d.]+) (ms|s)$/.exec(text) ?? [];
  return Number(value) * (unit === 's' ? 1000 : 1);
}

/** Tab until the named element has the focus, as somebody without a mouse does. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(
      'document.activeElement.ariaLabel ?? document.activeElement.textContent',
    );
    if (focused === name) return;
  }
  throw new Error(`60 times Tab did not lead to "${name}"`);
}

test('shows an edit moving through the stages, with its build log', async () => {
  const { page, complaints } = await openDashboard(browser, site);
  await visible(page, '#connection[data-state=live]');
  // Written down by the page itself: a stage may last for less than a look from here takes.
  await page.evaluate(`
    window.seen = [];
    new MutationObserver(() => {
      const stage = document.querySelector('[aria-current=step]')?.dataset.stage;
      if (stage && window.seen.at(-1) !== stage) window.seen.push(stage);
    }).observe(document.querySelector('#stages'), { attributes: true, subtree: true });
  `);
  const open = site.get('/api/slow?ms=4500');
  await site.edit('page.txt', 'seen on the dashboard');

  const log = page.getByRole('log');
  await log.getByText('page 10 of 10').waitFor();
  expect(await log.textContent()).toContain(`page 3 of 10 ${MARKUP}`);
  expect(await log.locator('img').count()).toBe(0);
  await visible(page, '[data-stage=reload][data-state=done]');
  await open;
  // A flip takes a few milliseconds, and may be over before the page hears of it.
  const seen = (await page.evaluate('window.seen')) as string[];
  expect(seen.filter((stage) => stage !== 'flip')).toEqual([
    'build',
    'start',
    'check',
    'drain',
    'reload',
  ]);

  const { active, slots } = await site.status();
  await card(page, active).getByText('active', { exact: true }).waitFor();
  await card(page, active)
    .getByText(slots[active].release as string)
    .waitFor();
  await page.locator('#history').getByText('an edit of src/content/page.txt').first().waitFor();
  expect(await page.locator('#announcer').textContent()).toContain(`is live on ${active}`);
  expect(complaints).toEqual([]);
});

test('opened in mid-build, shows how long the build has run and not how long the page is open', async () => {
  await writeFile(join(site.root, 'hold'), '');
  await site.edit('page.txt', 'long before anybody looks');
  await until(async () => {
    const { promotion } = await site.status();
    return promotion?.stage === 'build' && Date.now() - Date.parse(promotion.startedAt) > 4000;
  }, 'a build that runs for four seconds');
  const { page } = await openDashboard(browser, site);
  const time = page.locator('[data-stage=build][data-state=running] .time');
  const shown = milliseconds((await time.textContent()) ?? '');
  const { startedAt } = (await site.status()).promotion ?? { startedAt: '' };
  await rm(join(site.root, 'hold'));
  expect(shown).toBeGreaterThan(4000);
  expect(shown).toBeLessThan(Date.now() - Date.parse(startedAt));
});

test('draws the chart under a policy that lets in no style but its own', async () => {
  for (let request = 0; request < 20; request++) await site.get();
  const { page, complaints } = await openDashboard(browser, site);
  await visible(page, '.chart:not([data-points="0"])');
  const drawn = await until(
    () =>
      page.evaluate(`[...document.querySelectorAll('.chart canvas')].map((canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return data.some((value) => value > 0);
      })`),
    'the canvases',
  );
  expect(drawn).toEqual([true, true]);
  // The styles that uPlot sets through the DOM are in force: its canvases fill the panel.
  const [box, canvas] = await Promise.all([
    page.locator('#traffic-chart').boundingBox(),
    page.locator('.chart canvas').first().boundingBox(),
  ]);
  expect(canvas?.width).toBeCloseTo(box?.width ?? 0, 0);
  expect(complaints).toEqual([]);
});

test('says how much visitors get from memory, what is kept there, and what it takes', async () => {
  const { page } = await openDashboard(browser, site);
  const fact = (name: string) =>
    page.locator('#memory-facts div', { hasText: name }).locator('dd').textContent();
  await page.getByRole('region', { name: 'Answers from memory' }).waitFor();
  expect(await fact('answers kept')).toBe('0');
  expect(await fact('memory')).toBe('0');
  for (let i = 0; i < 20; i++) await site.get('/file');
  const { cache } = await until(async () => {
    const status = await site.status();
    return status.cache.hits >= 18 && status;
  }, 'the workers to report');
  // Each worker asks the site once.
  await until(
    async () => (await fact('answers kept')) === String(cache.entries),
    'the number of answers',
  );
  expect(await fact('memory')).toMatch(/^\d+ KiB$/);
  await until(
    async () => Number.parseInt((await fact('hit ratio')) ?? '', 10) > 0,
    'the hit ratio',
  );
  await site.slots('purge');
  await until(async () => (await fact('answers kept')) === '0', 'nothing to be kept');
  expect(await fact('memory')).toBe('0');
  expect(Number.parseInt((await fact('hit ratio')) ?? '', 10)).toBeGreaterThan(0);
});

test('rolls back by a click, which pauses edits until they are resumed', async () => {
  const before = (await site.get()).body;
  await publish('a mistake');
  const { page } = await openDashboard(browser, site);
  await page.getByRole('button', { name: 'Roll back', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Roll back?' });
  await dialog.getByText('Edits pause').waitFor();
  expect((await site.get()).body).toBe('a mistake');
  await dialog.getByRole('button', { name: 'Roll back' }).click();
  await dialog.waitFor({ state: 'hidden' });
  expect((await site.get()).body).toBe(before);

  await page.getByText('Edits are paused.').waitFor();
  await page.getByRole('button', { name: 'Resume edits' }).click();
  await until(async () => (await site.get()).body === 'a mistake', 'the edit again', 30_000);
  await page.getByText('Edits are paused.').waitFor({ state: 'hidden' });

  await site.slots('maintenance', 'on', '--allow', '203.0.113.7');
  await page.getByText('Maintenance is on.').waitFor();
  expect(await page.locator('#maintenance-text').textContent()).toContain('but for 203.0.113.7');
  await site.slots('maintenance', 'off');
  await page.getByText('Maintenance is on.').waitFor({ state: 'hidden' });
});

test('says why a promotion failed and that nobody saw it', async () => {
  const { body } = await site.get();
  const { page } = await openDashboard(browser, site);
  await visible(page, '#connection[data-state=live]');
  await site.behave({ crashAtStart: true });
  await visible(
    page,
    '[data-stage=start][data-state=failed], [data-stage=check][data-state=failed]',
  );
  await page.getByText('Visitors saw nothing of it.').waitFor();
  const { last } = await site.settled();
  expect(await page.locator('#promotion-error').textContent()).toBe(last?.error);
  await page.locator('#history .reason').first().waitFor();
  expect((await site.get()).body).toBe(body);
  await site.behave({});
});

test('does everything by the keyboard alone, with the focus in sight', async () => {
  const live = (await site.get()).release as string;
  const { page } = await openDashboard(browser, site);
  await visible(page, '#connection[data-state=live]');
  const { epoch } = await site.status();
  await tabTo(page, 'Build and promote');
  const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
  expect(outline).toBe('solid');
  await page.keyboard.press('Enter');
  await until(async () => (await site.status()).epoch > epoch, 'the promotion', 30_000);
  await site.settled();

  await buttonOf(page, live).waitFor();
  await tabTo(page, `Make ${live} live`);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  expect(await page.evaluate('document.activeElement.ariaLabel')).toBe(`Make ${live} live`);
  await page.keyboard.press('Enter');
  await tabTo(page, 'Make live');
  await page.keyboard.press('Enter');
  await until(async () => (await site.get()).release === live, 'the release to be live');
  await buttonOf(page, live).waitFor({ state: 'hidden' });
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  // The button that had the focus is gone, and the focus is still in its panel.
  expect(await page.evaluate('document.activeElement.id')).toBe('releases-title');
  expect(await site.slots('resume')).toMatchObject({ exitCode: 0 });
});

test('a question that is asked while the last one closes stays open with its words', async () => {
  const { page } = await openDashboard(browser, site);
  const rollback = page.getByRole('button', { name: 'Roll back', exact: true });
  await rollback.click();
  await page.getByRole('dialog', { name: 'Roll back?' }).waitFor();
  // In one turn: the browser sends `close` of the first after the click that asks the second.
  const seen = await page.evaluate(`new Promise((resolve) => {
    const dialog = document.querySelector('#confirm');
    const button = [...document.querySelectorAll('button')].find((each) => each.textContent === 'Roll back');
    dialog.addEventListener('close', () => setTimeout(() => resolve(dialog.innerText), 100), { once: true });
    dialog.close();
    button.click();
  })`);
  expect(seen).toContain('Roll back?');
  expect(await page.getByRole('dialog', { name: 'Roll back?' }).isVisible()).toBe(true);
});

test('says that a token is wrong, and takes the right one', async () => {
  const address = await dashboardAddress(site);
  const wrong = address.replace(/token=.*/, `token=${'0'.repeat(64)}`);
  const { page } = await openDashboard(browser, site, { address: wrong });
  await page.getByText('That token was not accepted.').waitFor();
  expect(await page.locator('main').isVisible()).toBe(false);
  await page.getByLabel('The address, or the token alone').fill(address);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: site.name }).waitFor();
  // Not in the address bar, and so neither in the history nor in a screenshot; kept for a reload all the same.
  expect(page.url()).toBe(`http://127.0.0.1:${site.ports.admin}/`);
  await page.reload();
  await visible(page, '#connection[data-state=live]');
});

test('fits a phone, with the log open', async () => {
  const viewport = { width: 360, height: 740 };
  const { page } = await openDashboard(browser, site, { viewport, isMobile: true, hasTouch: true });
  await page.getByText('Build log').click();
  await page.getByRole('log').getByText('page 10 of 10').waitFor();
  await page.locator('#history li').first().waitFor();
  expect(await overflowOf(page)).toBe(0);
  await page.getByRole('button', { name: 'Roll back', exact: true }).tap();
  await page.getByRole('dialog').waitFor();
  expect(await overflowOf(page)).toBe(0);
});

test('says that the connection is lost, and comes back by itself', async () => {
  const { page } = await openDashboard(browser, site);
  await visible(page, '#connection[data-state=live]');
  const [watcher] = (await site.pids()).watcher;
  const lost = page.getByText('Connection lost.').waitFor();
  process.kill(watcher as number, 'SIGKILL');
  await lost;
  await visible(page, '#connection[data-state=live]');
  await page.getByText('Connection lost.').waitFor({ state: 'hidden' });
});

test('`slots dash --open` hands the browser a file for its owner only, not the token', async () => {
  const opened = join(site.root, 'opened');
  site.env.BROWSER = join(site.root, 'browser.sh');
  await writeFile(site.env.BROWSER, `#!/bin/sh\nprintf %s "$1" > '${opened}'\n`, { mode: 0o700 });
  expect(await site.slots('dash', '--open')).toMatchObject({ exitCode: 0 });
  const door = join(site.root, 'slots/dashboard.html');
  const url = await until(() => readFile(opened, 'utf8'), 'the browser to be started');
  expect(url).toBe(`file://${door}`);
  expect((await stat(door)).mode & 0o777).toBe(0o600);
  const { page } = await openDashboard(browser, site, { address: url });
  await page.getByRole('heading', { name: site.name }).waitFor();
});
