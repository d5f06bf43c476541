import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { findChromium } from './chromium.ts';
import type { Site } from './site.ts';

/** Nothing of the browser's own on the network, and no need for what a container lacks. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const DESKTOP = { width: 1200, height: 900 };

/** @returns the browser, or the reason why none starts here */
export async function startBrowser(): Promise<Browser | string> {
  try {
    return await chromium.launch({ ...(await findChromium()), args: ARGS });
  } catch (error) {
    return `no browser starts here: ${(error as Error).message.split('\n')[0]}`;
  }
}

export interface DashboardPage {
  page: Page;
  /** What the page's console and its scripts complained of. */
  complaints: string[];
}

/** A tab of its own on the site's dashboard, as `slots dash` says where that is; closed after the test. */
export async function openDashboard(
  browser: Browser,
  site: Site,
  options: BrowserContextOptions & { address?: string } = {},
): Promise<DashboardPage> {
  const { address = await dashboardAddress(site), ...rest } = options;
  // Without a LANG, npm's Chromium makes up a language that its own Intl refuses, and uPlot asks for.
  const context = await browser.newContext({ viewport: DESKTOP, locale: 'en-US', ...rest });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(address);
  return { page, complaints };
}

export async function dashboardAddress(site: Site): Promise<string> {
  const { exitCode, stdout, stderr } = await site.slots('dash');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout.trim();
}

/** How much wider than the window the page is: what a phone would have to scroll sideways for, in pixels. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
}
