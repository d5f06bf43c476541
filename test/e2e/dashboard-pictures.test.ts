import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { openDashboard, startBrowser } from '../support/browser.ts';
import { exampleSite } from '../support/example-site.ts';
import { skipFor } from '../support/needs.ts';
import type { Site } from '../support/site.ts';
import { until } from '../support/until.ts';
import { startVisitors } from '../support/visitors.ts';

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));
const DESKTOP = { width: 1160, height: 900 };
const PHONE = { width: 360, height: 780 };

/** Enough for the chart to show something. */
const MIN_POINTS = 100;

test('takes the pictures for the docs', async ({ skip }) => {
  if (process.env.SLOTS_SCREENSHOTS !== '1') skip('changes the docs: SLOTS_SCREENSHOTS=1 wants it');
  const browser = await startBrowser();
  if (typeof browser === 'string') return skipFor(skip, browser);
  onTestFinished(() => browser.close());
  const site = await exampleSite();
  await rename(site, 'garden-blog');
  expect(await site.slots('up')).toMatchObject({ exitCode: 0 });
  const visitors = startVisitors(site);
  onTestFinished(visitors.stop);

  await publish(site, 'mulch', 'Straw keeps the soil moist.');
  const { page: light } = await openDashboard(browser, site, look('light', DESKTOP));
  await until(async () => (await pointsOf(light)) >= MIN_POINTS, 'the chart to fill', 150_000);
  await site.edit('mulch', 'So do leaves.');
  await light.locator('#log-box[data-building=true]').waitFor();
  const log = light.getByRole('log').locator('div');
  await until(async () => (await log.count()) >= 8, 'the build to print', 60_000);
  await shoot(light, 'dashboard-light.png', '#traffic-chart');

  await until(async () => (await site.status()).promotion === null, 'the promotion', 60_000);
  const options = look('dark', DESKTOP);
  const { page: dark } = await openDashboard(browser, site, options);
  await shoot(dark, 'dashboard-dark.png', '#footer');
  const phone = { ...look('light', PHONE), isMobile: true, deviceScaleFactor: 2 };
  const { page: small } = await openDashboard(browser, site, phone);
  await shoot(small, 'dashboard-phone.png', '#stages');
  expect(visitors.failed()).toBe(0);
});

function look(colorScheme: 'light' | 'dark', viewport: { width: number; height: number }) {
  return { colorScheme, viewport } satisfies BrowserContextOptions;
}

/** The page from its top to the end of this element. */
async function shoot(page: Page, name: string, last: string): Promise<void> {
  await page.locator('#history li').first().waitFor();
  await page.locator('.chart:not([data-points="0"]) canvas').first().waitFor();
  const box = await page.locator(last).boundingBox();
  const { width = 0 } = page.viewportSize() ?? {};
  const clip = { x: 0, y: 0, width, height: (box?.y ?? 0) + (box?.height ?? 0) + 28 };
  await page.screenshot({ path: join(DOCS, name), clip, fullPage: true });
}

/** A name for people: the tests' own are there to tell sites apart. */
async function rename(site: Site, name: string): Promise<void> {
  const file = join(site.root, 'slots.config.json');
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), name }));
}

async function publish(site: Site, post: string, text: string): Promise<void> {
  await site.edit(post, text);
  await until(async () => (await site.get(`/posts/${post}`)).body.includes(text), text, 60_000);
  await site.settled(60_000);
}

async function pointsOf(page: Page): Promise<number> {
  return Number(await page.locator('#traffic-chart').getAttribute('data-points'));
}
