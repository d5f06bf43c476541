import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { UserConfig } from '../../src/config/schema.ts';
import {
  bringUp,
  expectEditsLive,
  firstAsset,
  frameworkSite,
  installPackages,
  networkEnv,
} from '../support/framework-site.ts';
import { expectFromMemory, hashedFiles, PHOTO } from '../support/from-memory.ts';
import { lazyFiles, openTab, publish, testBrowser } from '../support/tab.ts';
import { testTabs } from '../support/tab-tests.ts';

const PAGE = `
import { readFileSync } from 'node:fs';
export default () => <p>{readFileSync('content/page.txt', 'utf8')}</p>;
`;

const FILES = {
  'package.json': JSON.stringify({
    private: true,
    dependencies: { next: '16', react: '19', 'react-dom': '19' },
  }),
  'next.config.mjs': `export default { output: 'standalone' };`,
  'app/layout.js': 'export default ({ children }) => <html><body>{children}</body></html>;',
  'app/page.js': PAGE,
  'app/live/route.js': `export const dynamic = 'force-dynamic';
export const GET = (request) => Response.json({ pid: process.pid, host: request.headers.get('host'), url: request.url });`,
  'app/go/route.js': `export const dynamic = 'force-dynamic';
export const GET = (request) => Response.redirect(new URL('/live', request.url));`,
  'proxy.js': `import { NextResponse } from 'next/server';
export const proxy = (request) => NextResponse.rewrite(new URL('/live', request.url));
export const config = { matcher: '/rewritten' };`,
  'content/page.txt': 'first',
  'public/robots.txt': 'a robot',
  'public/photo.png': PHOTO,
  'app/about/page.js': `export default () => <p>{'about us '.repeat(500)}</p>;`,
};

const env = { NEXT_TELEMETRY_DISABLED: '1' };

const EDITS = [
  { file: 'content/page.txt', text: 'second', sees: 'second' },
  { file: 'app/page.js', text: PAGE.replace('<p>', '<p>code and '), sees: 'code and' },
];

/** As a request comes that a proxy in front has taken over HTTPS. */
const BEHIND_TLS = { host: 'blog.example', 'x-forwarded-proto': 'https' };

async function expectVisitorsAddress(site: Awaited<ReturnType<typeof frameworkSite>>) {
  for (const path of ['/live', '/rewritten']) {
    const answer = await site.get(path, undefined, BEHIND_TLS);
    expect(answer.status, answer.body).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({
      host: 'blog.example',
      url: expect.stringMatching(/^https:/),
    });
  }
  const { headers } = await site.get('/go', undefined, BEHIND_TLS);
  expect(headers.location).toBe('https://blog.example/live');
}

async function expectWhole(site: Awaited<ReturnType<typeof frameworkSite>>): Promise<void> {
  await bringUp(site);
  const { body } = await site.get('/');
  expect(body).toContain('first');
  expect(await site.get('/robots.txt')).toMatchObject({ status: 200, body: 'a robot' });
  expect(await site.get(firstAsset(body))).toMatchObject({ status: 200 });
  expect(await site.get('/nothing')).toMatchObject({ status: 404 });
  expect(await site.get('/live')).toMatchObject({ status: 200 });
  await expectVisitorsAddress(site);
  const hashed = await hashedFiles(site, '.next/static', '/_next/static');
  await expectFromMemory(site, [...hashed, '/photo.png', '/about']);
  await expectEditsLive(site, EDITS, ['/', '/robots.txt', '/live'], 180_000);
}

test('Next.js', async () => {
  const site = await frameworkSite({ files: FILES, config: { env }, modules: installPackages });
  await expectWhole(site);
});

test('Next.js, with dependencies of each release', async () => {
  const site = await frameworkSite({
    files: FILES,
    config: {
      env: { ...env, ...networkEnv() },
      install: 'npm ci --prefer-offline --no-audit --no-fund',
    },
    modules: (root) => installPackages(root, '--package-lock-only'),
  });
  await expectWhole(site);
  expect(await readdir(site.root)).not.toContain('node_modules');
  expect(await readdir(join(site.root, 'slots/deps'))).toHaveLength(1);
});

const { 'package.json': PACKAGE, 'next.config.mjs': CONFIG, 'app/layout.js': LAYOUT } = FILES;

/** A page that loads its lazy files by a button, and calls the server by another. */
function tabSite(config: UserConfig = {}) {
  return frameworkSite({
    files: {
      'package.json': PACKAGE,
      'next.config.mjs': CONFIG,
      'app/layout.js': LAYOUT,
      'app/page.js': `import { token } from './lazy/token.js';
import { More } from './more.js';
import { Call } from './call.js';
export const dynamic = 'force-dynamic';
export default function Page() {
  const bound = 'nobody';
  async function greet(name) {
    'use server';
    return name + ' was answered by ' + token + ' for ' + bound;
  }
  return <><p>{'token of ' + token}</p><More /><Call greet={greet} /></>;
}`,
      'app/more.js': `'use client';
export const More = () => <button onClick={async () => (await import('./lazy/lazy.js')).show()}>more</button>;`,
      'app/call.js': `'use client';
import { useState } from 'react';
export function Call({ greet }) {
  const [said, say] = useState('');
  const call = () => greet('tab').then(say, (error) => say('failed: ' + error.message));
  return <><a href="#" onClick={call}>call</a><i>{said}</i></>;
}`,
      ...lazyFiles('app/lazy', 'first'),
    },
    config: { env, keep: 2, ...config },
    modules: installPackages,
  });
}

testTabs('a Next.js page', tabSite, 'app/lazy');

test('a server action of a Next.js page of one release is answered by the next, and not without the shared key', async ({
  skip,
}) => {
  const browser = await testBrowser(skip);
  const answerAfterFlip = async (config: UserConfig) => {
    const site = await tabSite(config);
    await bringUp(site);
    const { page } = await openTab(browser, site);
    await page.waitForLoadState('networkidle');
    await publish(site, 'app/lazy', 'second');
    await page.getByText('call').click();
    await page.locator('i:not(:empty)').waitFor();
    return page.locator('i').textContent();
  };
  expect(await answerAfterFlip({})).toBe('tab was answered by second for nobody');
  expect(await answerAfterFlip({ skew: false })).toMatch(/^failed: /);
});
