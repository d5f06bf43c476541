import { expect, test } from 'vitest';
import {
  bringUp,
  expectEditsLive,
  frameworkSite,
  linkPackages,
} from '../support/framework-site.ts';
import { expectFromMemory, PHOTO } from '../support/from-memory.ts';

test('a folder of files', async () => {
  const site = await frameworkSite({
    files: {
      'index.html': '<link rel="stylesheet" href="main.3f2a9c1b.css"><p>first',
      'about/index.html': `<p>${'about us '.repeat(500)}`,
      'photo.png': PHOTO,
      'main.3f2a9c1b.css': 'p { color: red }',
      '404.html': '<p>lost',
      '.env': 'SECRET=1',
    },
  });
  await bringUp(site);
  expect((await site.get('/')).body).toContain('first');
  expect(await site.get('/about')).toMatchObject({ status: 301 });
  expect((await site.get('/main.3f2a9c1b.css')).headers['cache-control']).toContain('immutable');
  expect(await site.get('/no-such-page')).toMatchObject({ status: 404, body: '<p>lost' });
  for (const secret of ['/.env', '/slots.config.json', '/slots/state.json']) {
    expect(await site.get(secret)).toMatchObject({ status: 404 });
  }
  await expectFromMemory(site, ['/', '/about/', '/main.3f2a9c1b.css', '/photo.png']);
  await expectEditsLive(
    site,
    [
      { file: 'index.html', text: '<p>second', sees: 'second' },
      { file: 'new/index.html', text: '<p>a new page', path: '/new/', sees: 'a new page' },
    ],
    ['/', '/about/', '/main.3f2a9c1b.css'],
  );
});

const SERVER = `
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
const page = readFileSync(new URL('../content/page.txt', import.meta.url));
createServer((request, response) => response.end(page)).listen(process.env.PORT, process.env.HOST);
`;

test('a Node server without a build', async () => {
  const site = await frameworkSite({
    files: {
      'package.json': '{"type":"module","scripts":{"start":"node src/server.js"}}',
      'src/server.js': SERVER,
      'content/page.txt': 'first',
    },
  });
  await bringUp(site);
  expect(await site.get()).toMatchObject({ status: 200, body: 'first' });
  await expectEditsLive(site, [
    { file: 'content/page.txt', text: 'second', sees: 'second' },
    { file: 'src/server.js', text: SERVER.replace('end(page)', "end('code')"), sees: 'code' },
  ]);
});

const post = (title: string) => `---\ntitle: ${title}\n---\n# ${title}\n`;

const ASTRO_PAGES = {
  'package.json': '{"type":"module","dependencies":{"astro":"7","@astrojs/node":"11"}}',
  'src/content.config.ts': `import { defineCollection } from 'astro:content';
import { glob } from 'astro/loaders';
export const collections = { posts: defineCollection({ loader: glob({ base: './src/content', pattern: '*.md' }) }) };
`,
  'src/content/hello.md': post('first'),
  'src/pages/404.astro': '<p>lost</p>',
};

test('Astro without an adapter', async () => {
  const site = await frameworkSite({
    files: {
      ...ASTRO_PAGES,
      'astro.config.mjs': 'export default {};',
      'src/pages/index.astro': `---
import { getEntry, render } from 'astro:content';
const { Content } = await render(await getEntry('posts', 'hello'));
---
<style>h1 { color: teal }</style><Content />`,
    },
    modules: (root) => linkPackages(root, 'astro'),
  });
  await bringUp(site);
  expect((await site.get()).body).toContain('first');
  const lost = await site.get('/no-such-page');
  expect(lost.status).toBe(404);
  expect(lost.body).toContain('lost');
  await expectEditsLive(site, [
    { file: 'src/content/hello.md', text: post('second'), sees: 'second' },
    { file: 'src/content/hello.md', text: post('third'), sees: 'third' },
  ]);
});

test('Astro with @astrojs/node', async () => {
  const site = await frameworkSite({
    files: {
      ...ASTRO_PAGES,
      'astro.config.mjs': `import node from '@astrojs/node';
export default { output: 'server', session: false, adapter: node({ mode: 'standalone' }) };`,
      'src/pages/index.astro': `---
import { getEntry } from 'astro:content';
const { data, body } = await getEntry('posts', 'hello');
---
<p>{body} from {process.pid}</p>`,
    },
    modules: (root) => linkPackages(root, 'astro', '@astrojs/node'),
  });
  await bringUp(site);
  expect((await site.get()).body).toMatch(/first[\s\S]*from \d+/);
  await expectEditsLive(site, [
    { file: 'src/content/hello.md', text: post('second'), sees: 'second' },
  ]);
});
