import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import {
  bringUp,
  expectEditsLive,
  frameworkSite,
  installPackages,
  networkEnv,
} from '../support/framework-site.ts';

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
