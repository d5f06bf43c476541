import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { UserConfig } from '../../src/config/schema.ts';
import {
  bringUp,
  expectEditsLive,
  frameworkSite,
  installPackages,
  linkPackages,
  networkEnv,
} from '../support/framework-site.ts';
import { expectFromMemory, hashedFiles, PHOTO } from '../support/from-memory.ts';
import type { Site } from '../support/site.ts';
import { lazyFiles, publish } from '../support/tab.ts';
import { testTabs } from '../support/tab-tests.ts';

const page = (text: string) => `---
import '../styles/main.css';
---
<html><head></head><body><p>${text}</p></body></html>
`;

/** Imported by nothing, so that only a look at the files finds its class names. */
const SNIPPET = '<p class="decoration-dotted">';

const CONFIG = `import node from '@astrojs/node';
import tailwindcss from '@tailwindcss/vite';
export default {
  output: 'server',
  session: false,
  adapter: node({ mode: 'standalone' }),
  build: { inlineStylesheets: 'always' },
  vite: { plugins: [tailwindcss()] },
};`;

/** Tailwind passes over what git ignores; the copy that is built in lies in slots/, and must not be passed over. */
test('Astro with Tailwind, in git, with dependencies of each release', async () => {
  const site = await frameworkSite({
    files: {
      'package.json': JSON.stringify({
        private: true,
        type: 'module',
        dependencies: {
          astro: '7',
          '@astrojs/node': '11',
          '@tailwindcss/vite': '4',
          tailwindcss: '4',
        },
      }),
      'astro.config.mjs': CONFIG,
      '.gitignore': '/slots/\nnode_modules\n.astro\n',
      'src/styles/main.css': '@import "tailwindcss";',
      'src/pages/index.astro': page('first'),
      'src/snippet.html': SNIPPET,
    },
    config: {
      watch: ['src'],
      env: networkEnv(),
      install: 'npm ci --prefer-offline --no-audit --no-fund',
    },
    async modules(root) {
      await promisify(execFile)('git', ['init', '-q'], { cwd: root });
      await installPackages(root, '--package-lock-only');
    },
  });
  await bringUp(site);
  const { body } = await site.get('/');
  expect(body).toContain('first');
  expect(body).toContain('.decoration-dotted');
  await expectEditsLive(
    site,
    [
      { file: 'src/pages/index.astro', text: page('second'), sees: 'second' },
      {
        file: 'src/snippet.html',
        text: SNIPPET.replace('dotted', 'wavy'),
        sees: '.decoration-wavy',
      },
    ],
    ['/'],
    180_000,
  );
});

const ISLAND = `---
import { token } from '../lazy/token.js';
const { secret } = Astro.props;
---
<p>island of {token} for {secret}</p>
`;

const TAB = `---
import Island from '../components/Island.astro';
import { token } from '../lazy/token.js';
---
<html><body><p>token of {token}</p><button>more</button>
<Island server:defer secret="nobody"><p slot="fallback">not yet</p></Island>
<script>
document.querySelector('button').onclick = async () => (await import('../lazy/lazy.js')).show();
</script></body></html>
`;

/** Loads its lazy files by a button, and part of itself from the server. */
function tabSite(config: UserConfig = {}, files: Record<string, string> = {}) {
  return frameworkSite({
    files: {
      'package.json': JSON.stringify({
        private: true,
        type: 'module',
        dependencies: { astro: '7', '@astrojs/node': '11' },
      }),
      'astro.config.mjs': CONFIG.replace(/^import tailwind.*$/m, '').replace(/^ {2}vite:.*$/m, ''),
      'src/pages/index.astro': TAB,
      'src/components/Island.astro': ISLAND,
      ...lazyFiles('src/lazy', 'first'),
      ...files,
    },
    config: { watch: ['src'], keep: 2, ...config },
    modules: (root) => linkPackages(root, 'astro', '@astrojs/node'),
  });
}

testTabs('an Astro page', tabSite, 'src/lazy');

test('hashed assets, images and prerendered pages of an Astro site come from memory as the site gives them', async () => {
  const site = await tabSite(
    {},
    {
      'public/photo.png': PHOTO,
      'src/pages/about.astro': `---
export const prerender = true;
---
<p>${'about us '.repeat(500)}</p>
`,
    },
  );
  await bringUp(site);
  const hashed = await hashedFiles(site, 'client/_astro', '/_astro');
  await expectFromMemory(site, [...hashed, '/photo.png', '/about']);
});

/** What the page asks the server for its island, which it may do at any time after it was made. */
async function islandOf(site: Site): Promise<string> {
  const { body } = await site.get('/');
  const url = /(?:href="|fetch\(')(\/_server-islands\/[^"']+)/.exec(body)?.[1] as string;
  return url.replaceAll('&amp;', '&');
}

test('a server island of an Astro page of one release is answered by the next, and not without the shared key', async () => {
  const site = await tabSite();
  await bringUp(site);
  const island = await islandOf(site);
  expect((await site.get(island)).body).toContain('island of first for nobody');
  await publish(site, 'src/lazy', 'second');
  expect(await site.get(island)).toMatchObject({
    status: 200,
    body: expect.stringContaining('island of second for nobody'),
  });

  const control = await tabSite({ skew: false });
  await bringUp(control);
  const other = await islandOf(control);
  expect((await control.get(other)).status).toBe(200);
  await publish(control, 'src/lazy', 'second');
  expect((await control.get(other)).status).toBeGreaterThanOrEqual(400);
});
