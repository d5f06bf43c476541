import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { tempSite } from '../support/temp-site.ts';

type Files = Record<string, string>;

const json = (value: unknown) => JSON.stringify(value);

/** The config of a site that has these files, and a package.json with these dependencies. */
async function configOf(files: Files, packageJson: object = {}) {
  const { root } = await tempSite({
    'package.json': json({ name: 'site', ...packageJson }),
    ...files,
  });
  return loadConfig(root);
}

const needs = (...names: string[]) => ({
  dependencies: Object.fromEntries(names.map((name) => [name, '1'])),
});

const ADAPTER = `import node from '@astrojs/node';\nexport default { adapter: node() };`;

test.each<[string, string, Files, object]>([
  ['Astro', 'server/entry.mjs', { 'astro.config.mjs': ADAPTER }, needs('astro', '@astrojs/node')],
  ['Astro (static)', 'static:', { 'astro.config.ts': 'export default {}' }, needs('astro')],
  ['Astro (static)', 'static:', { 'src/pages/index.md': 'x' }, needs('astro', '@astrojs/node')],
  [
    'Astro (static)',
    'static:',
    {
      'astro.config.mjs': 'export default {\n  // adapter: node(),\n  site: "https://a.example" }',
    },
    needs('astro'),
  ],
  ['Next.js', 'server.js', {}, needs('next', 'react')],
  ['Nuxt', 'server/index.mjs', {}, needs('nuxt')],
  ['SvelteKit', 'index.js', {}, needs('@sveltejs/kit', '@sveltejs/adapter-node', 'vite')],
  ['SvelteKit (static)', 'static:', {}, needs('@sveltejs/kit', '@sveltejs/adapter-static')],
  [
    'React Router',
    'react-router:build/server/index.js',
    {},
    needs('@react-router/dev', '@react-router/serve'),
  ],
  [
    'React Router (static)',
    'static:',
    { 'react-router.config.ts': 'export default { ssr: false };' },
    needs('@react-router/dev'),
  ],
  ['Node', 'server.js', { 'server.js': '' }, needs('express')],
  ['Node', 'app/main.mjs', { 'app/main.mjs': '' }, { scripts: { start: 'node app/main.mjs' } }],
  ['Node', 'a.js', { 'a.js': '' }, { scripts: { start: 'NODE_ENV=production node ./a.js' } }],
  ['Node', 'lib/a.js', { 'lib/a.js': '', 'server.js': '' }, { main: './lib/a.js' }],
  ['static files', 'static:', { 'public/index.html': '' }, {}],
  ['static files', 'static:', { 'dist/index.html': '', 'index.html': '' }, {}],
  ['Eleventy', 'static:', { 'index.md': '' }, needs('@11ty/eleventy')],
  ['static files', 'static:', { 'index.html': '' }, {}],
])(
  'a site is recognised by what it depends on and by its config: %s, with %s',
  async (framework, entry, files, packageJson) => {
    expect(await configOf(files, packageJson)).toMatchObject({ framework, entry });
  },
);

test.each<[string, Files, object]>([
  ['a server that has to be built', { 'server.ts': '' }, { scripts: { build: 'tsc' } }],
  ['a start script that runs something else', { 'server.js': '' }, { scripts: { start: 'bun .' } }],
  ['a start script of a missing file', {}, { scripts: { start: 'node a.js' } }],
  ['a page that a bundler is for', { 'index.html': '' }, { devDependencies: { vite: '8' } }],
])(
  'a site is recognised by what it depends on and by its config: not so: %s',
  async (_what, files, packageJson) => {
    await expect(configOf(files, packageJson)).rejects.toMatchObject({ code: 'CONFIG_INCOMPLETE' });
  },
);

test.each<[string, Files, object, RegExp]>([
  [
    'an adapter for somebody’s cloud',
    { 'astro.config.mjs': 'adapter: vercel()' },
    needs('astro'),
    /node/,
  ],
  [
    'Next without its own server',
    { 'next.config.ts': 'export default {}' },
    needs('next'),
    /standalone/,
  ],
  ['SvelteKit without adapter-node', {}, needs('@sveltejs/kit'), /adapter-node/],
  ['React Router without a server', {}, needs('@react-router/dev'), /react-router\/serve/],
])('%s: the config says what has to be changed', async (_what, files, packageJson, todo) => {
  expect((await configOf(files, packageJson)).todo).toMatch(todo);
});

const SVELTE_STATIC = needs('@sveltejs/kit', '@sveltejs/adapter-static');

test.each<[string, Files, object, string | undefined]>([
  ['a SvelteKit fallback', svelte("adapter({ fallback: '200.html' })"), SVELTE_STATIC, '200.html'],
  ['a SvelteKit 404 page', svelte("adapter({ fallback: '404.html' })"), SVELTE_STATIC, undefined],
  ['SvelteKit without one', svelte('adapter()'), SVELTE_STATIC, undefined],
  [
    'React Router without a server',
    { 'react-router.config.ts': 'export default { ssr: false }' },
    needs('@react-router/dev'),
    'index.html',
  ],
  ['plain files', { 'public/index.html': '' }, {}, undefined],
])('a single-page app is recognised or not by %s', async (_what, files, packageJson, fallback) => {
  expect((await configOf(files, packageJson)).fallback).toBe(fallback);
});

function svelte(adapter: string): Files {
  return { 'svelte.config.js': `export default { kit: { adapter: ${adapter} } }` };
}

test.each([
  [true, 'index.html'],
  ['app.html', 'app.html'],
  [false, undefined],
])('`single: %s` in the config makes %s the page for unknown paths', async (single, fallback) => {
  const files = { 'public/index.html': '', 'slots.config.json': JSON.stringify({ single }) };
  expect((await configOf(files, {})).fallback).toBe(fallback);
});

test('`single` is refused for a site whose own server answers', async () => {
  const files = { 'slots.config.json': '{"single":true,"build":"x","entry":"a.mjs"}' };
  await expect(configOf(files, {})).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('single'),
  });
});

test('nothing has to be changed where all is well', async () => {
  const files = { 'next.config.mjs': `export default { output: 'standalone' };` };
  expect((await configOf(files, needs('next'))).todo).toBeUndefined();
});

test.each<[object, Files]>([
  [needs('astro'), { 'astro.config.mjs': ADAPTER }],
  [needs('astro'), { 'astro.config.mjs': '' }],
  [needs('next'), {}],
  [needs('nuxt'), {}],
  [needs('@sveltejs/kit'), {}],
  [needs('@sveltejs/kit', '@sveltejs/adapter-static'), {}],
  [needs('@react-router/dev'), {}],
  [needs('@react-router/dev'), { 'react-router.config.ts': '({ ssr: false })' }],
])('the table in the docs has what the preset has: %j', async (packageJson, files) => {
  const { build, entry, watch, copy } = await configOf(files, packageJson);
  const page = await readFile(join(import.meta.dirname, '../../docs/frameworks.md'), 'utf8');
  const code = (text: string) => `\`${text}\``;
  const row = page.split('\n').find((line) => {
    const cells = line.split(' | ');
    const own = cells[2] === 'the same' || cells[2] === code([build].flat().join(' '));
    const from = (copy ?? []).every((each) => cells[5]?.includes(code(each.from)));
    const folders = watch.filter((path) => !/\.config\.|package\.json/.test(path));
    const watches =
      cells[4] === 'the same' ||
      cells[4] === folders.map(code).join(', ') ||
      (folders.length === 0 && cells[4]?.startsWith('what git keeps'));
    return own && cells[3] === code(entry) && watches && from;
  });
  expect(row, `${build} ${entry} ${watch}`).toBeDefined();
});

const with_ = (config: object) =>
  configOf({ 'slots.config.json': json(config), 'app/page.js': '' }, needs('next', 'react'));

test('the keys of the config replace those of the preset one by one: none all of the preset', async () => {
  expect(await with_({})).toMatchObject({
    build: ['next', 'build'],
    entry: 'server.js',
    env: { HOSTNAME: 'localhost' },
    watch: ['app', 'package.json'],
    copy: expect.arrayContaining([{ from: '.next/standalone', to: '.' }]),
  });
});

test('the keys of the config replace those of the preset one by one: watch, entry and env', async () => {
  expect(await with_({ watch: ['docs'], entry: 'a/server.js', env: { X: '1' } })).toMatchObject({
    watch: ['docs'],
    entry: 'a/server.js',
    env: { HOSTNAME: 'localhost', X: '1' },
    build: ['next', 'build'],
  });
});

test('the keys of the config replace those of the preset one by one: a build that leaves its output where the framework does is copied from there', async () => {
  const { build, copy } = await with_({ build: 'prisma generate && next build' });
  expect(build).toBe('prisma generate && next build');
  expect(copy).toHaveLength(3);
});

test.each(['make {outDir}', 'make $SLOTS_OUT_DIR'])(
  'the keys of the config replace those of the preset one by one: a build that knows where to write is not: %s',
  async (build) => {
    expect((await with_({ build })).copy).toBeUndefined();
  },
);

test('the keys of the config replace those of the preset one by one: an empty copy is one', async () => {
  expect((await with_({ copy: [] })).copy).toEqual([]);
});

test('the keys of the config replace those of the preset one by one: a site that has nothing to build is not copied over the output of a build of its own', async () => {
  const files = { 'server.js': '', 'slots.config.json': json({ build: 'make' }) };
  expect((await configOf(files)).copy).toBeUndefined();
});

test('Eleventy builds into {outDir} by its own command, and watches all but its output', async () => {
  const files = {
    '.eleventy.js': "module.exports = () => ({ dir: { output: 'www' } });",
    ...Object.fromEntries(
      ['index.njk', 'posts/a.md', '_includes/base.njk', 'www/index.html', 'README.md'].map(
        (name) => [name, ''],
      ),
    ),
  };
  const config = await configOf(files, needs('@11ty/eleventy'));
  expect(config).toMatchObject({ build: ['eleventy', '--output={outDir}'], entry: 'static:' });
  expect(config.copy).toBeUndefined();
  expect(config.watch.toSorted()).toEqual(
    ['.eleventy.js', '_includes', 'index.njk', 'package.json', 'posts'].toSorted(),
  );
});

test.each<[string, string, string | undefined, string | undefined]>([
  ['npx @11ty/eleventy', '', '--output={outDir}', undefined],
  ['sass in:out && ELEVENTY_ENV=production eleventy', '', '--output={outDir}', undefined],
  ['eleventy && pagefind --site _site', '', undefined, '_site'],
  ['eleventy --output=public && x', '', undefined, 'public'],
  ['eleventy && x', "export default (c) => c.setOutputDirectory('./dist/');", undefined, 'dist'],
])('an Eleventy site keeps its own build script: %s', async (script, text, flag, copied) => {
  const files = { 'index.md': '', ...(text && { 'eleventy.config.mjs': text }) };
  const { build, copy } = await configOf(files, {
    ...needs('@11ty/eleventy'),
    scripts: { build: script },
  });
  expect([build].flat().at(-1)).toBe(flag ?? 'build');
  expect(copy?.[0]?.from).toBe(copied);
});

test.each<[string, string[], Files, object]>([
  ['Astro', ['client → /'], { 'astro.config.mjs': ADAPTER }, needs('astro', '@astrojs/node')],
  [
    'Astro below a path',
    ['client → /docs'],
    { 'astro.config.mjs': `${ADAPTER.slice(0, -3)}, base: '/docs/' };` },
    needs('astro', '@astrojs/node'),
  ],
  ['Astro (static)', ['. → /'], { 'astro.config.mjs': 'export default {}' }, needs('astro')],
  ['Next.js', ['.next/static → /_next/static', 'public → /'], {}, needs('next')],
  [
    'Next.js below a path',
    ['.next/static → /shop/_next/static', 'public → /shop'],
    { 'next.config.mjs': 'export default { basePath: "/shop", output: "standalone" }' },
    needs('next'),
  ],
  ['Nuxt', ['public → /'], {}, needs('nuxt')],
  [
    'Nuxt below a path, beside the address of something else',
    ['public → /docs'],
    {
      'nuxt.config.ts': `export default { ky: { baseURL: 'https://a.example' }, app: { baseURL: '/docs/' } }`,
    },
    needs('nuxt'),
  ],
  [
    'SvelteKit',
    ['client → /', 'prerendered → /'],
    {},
    needs('@sveltejs/kit', '@sveltejs/adapter-node'),
  ],
  ['React Router', ['build/client → /'], {}, needs('@react-router/dev', '@react-router/serve')],
  ['Eleventy', ['. → /'], {}, needs('@11ty/eleventy')],
  ['static files', ['. → /'], { 'public/index.html': '' }, {}],
])('visitors get the files of %s from %s', async (_name, expected, files, packageJson) => {
  const { client } = await configOf(files, packageJson);
  expect(client.map(({ folder, url }) => `${folder} → ${url}`)).toEqual(expected);
});

test('the client of a Next site in a monorepo lies beside its server', async () => {
  const files = { 'slots.config.mjs': `export default { entry: 'apps/web/server.js' };` };
  const { client } = await configOf(files, needs('next'));
  expect(client.map(({ folder }) => folder)).toEqual(['apps/web/.next/static', 'apps/web/public']);
});

test('a server of its own has its client where such sites have it, and never where the server itself lies', async () => {
  const { client } = await configOf({ 'dist/server.js': '' }, { main: 'dist/server.js' });
  const folders = client.map(({ folder }) => folder);
  expect(folders).toContain('public');
  expect(folders).not.toContain('dist');
});

test('the client folders of the config count before all others', async () => {
  const own = `export default { client: [{ folder: 'web' }, { folder: 'img', url: '/i' }] };`;
  const { client } = await configOf({ 'slots.config.mjs': own, 'server.js': '' });
  expect(client).toEqual([
    { folder: 'web', url: '/' },
    { folder: 'img', url: '/i' },
  ]);
});
