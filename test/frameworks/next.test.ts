import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  bringUp,
  expectEditsLive,
  firstAsset,
  frameworkSite,
  installPackages,
  networkEnv,
} from '../support/framework-site.ts';

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
export const GET = (request) => Response.json({ pid: process.pid, host: request.headers.get('host') });`,
  'content/page.txt': 'first',
  'public/robots.txt': 'a robot',
};

const env = { NEXT_TELEMETRY_DISABLED: '1' };

const EDITS = [
  { file: 'content/page.txt', text: 'second', sees: 'second' },
  { file: 'app/page.js', text: PAGE.replace('<p>', '<p>code and '), sees: 'code and' },
];

async function expectWhole(site: Awaited<ReturnType<typeof frameworkSite>>): Promise<void> {
  await bringUp(site);
  const { body } = await site.get('/');
  expect(body).toContain('first');
  expect(await site.get('/robots.txt')).toMatchObject({ status: 200, body: 'a robot' });
  expect(await site.get(firstAsset(body))).toMatchObject({ status: 200 });
  expect(await site.get('/nothing')).toMatchObject({ status: 404 });
  expect(await site.get('/live')).toMatchObject({ status: 200 });
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
