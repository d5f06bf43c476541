import { execFileSync } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { detectFramework, filesOf } from '../../src/config/detect.ts';
import { loadConfig } from '../../src/config/load.ts';
import { tempSite } from '../support/temp-site.ts';

async function configOf(packageJson: object, files: Record<string, string> = {}) {
  const manifest = JSON.stringify({ name: 'site', ...packageJson });
  const { root } = await tempSite({ 'package.json': manifest, ...files });
  return loadConfig(root);
}

const needs = (name: string, scripts = {}) => ({ dependencies: { [name]: '1' }, scripts });

test.each<[string, object, Record<string, string>, string, string | undefined]>([
  ['astro', { build: 'astro build' }, {}, 'astro build --outDir {outDir}', undefined],
  [
    'astro',
    { build: 'astro check && astro build' },
    {},
    'npm run build -- --outDir {outDir}',
    undefined,
  ],
  [
    'astro',
    { build: 'astro check && astro build' },
    { 'pnpm-lock.yaml': '' },
    'pnpm run build --outDir {outDir}',
    undefined,
  ],
  ['astro', { build: 'astro build && pagefind --site dist' }, {}, 'npm run build', 'dist'],
  ['astro', { build: 'astro build', postbuild: 'node feed.mjs' }, {}, 'npm run build', 'dist'],
  [
    'astro',
    { build: 'astro build && x' },
    { 'astro.config.mjs': "({ outDir: './out' })" },
    'npm run build',
    'out',
  ],
  ['next', { build: 'next build' }, {}, 'next build', '.next/standalone'],
  [
    'next',
    { build: 'next build && node feed.mjs' },
    { 'yarn.lock': '' },
    'yarn run build',
    '.next/standalone',
  ],
  ['nuxt', { build: 'nuxt generate' }, { 'bun.lock': '' }, 'bun run build', '.output/public'],
  ['@sveltejs/kit', { build: 'npm run gen && vite build' }, {}, 'npm run build', 'build'],
])(
  'of %s with the scripts %j the build is not cut short',
  async (name, scripts, files, build, from) => {
    const config = await configOf(needs(name, scripts), files);
    expect([config.build].flat().join(' ')).toBe(build);
    expect(config.copy?.[0]?.from).toBe(from);
  },
);

test.each<[string, Record<string, string>, string]>([
  ['node ./bin/www', { 'bin/www': '' }, 'bin/www'],
  ['node server', { 'server.js': '', 'server/a.txt': '' }, 'server.js'],
  ['node server', { 'server/index.js': '' }, 'server/index.js'],
  ['node .', { 'index.js': '' }, 'index.js'],
])('the start script `%s` finds its main module as Node does', async (start, files, entry) => {
  expect(await configOf({ scripts: { start } }, files)).toMatchObject({ entry, build: false });
});

test('a server that has to be built is built by its own script and started from what that writes', async () => {
  const config = await configOf({ scripts: { build: 'tsc', start: 'node dist/server.js' } });
  expect(config).toMatchObject({ entry: 'dist/server.js', build: ['npm', 'run', 'build'] });
  expect(config.watch).not.toContain('dist');
});

test('files of variables are those of the framework’s production start, and are watched', async () => {
  const next = await configOf(needs('next'), { '.env': 'A=1' });
  expect(next.envFiles).toEqual(['.env.production.local', '.env.local', '.env.production', '.env']);
  expect(next.watch).toContain('.env');
  const node = await configOf(
    { scripts: { start: 'node --env-file=a.env a.js' } },
    { 'a.js': '', 'a.env': '' },
  );
  expect(node).toMatchObject({ envFiles: ['a.env'] });
  expect((await configOf(needs('astro'))).envFiles).toEqual([]);
});

test('Next is watched as far as git keeps it, wherever its content lies', async () => {
  const { root } = await tempSite({
    'package.json': JSON.stringify({ name: 'site', ...needs('next') }),
    '.gitignore': 'generated\n',
    'data/a.mdx': '',
    'layouts/a.tsx': '',
    'generated/a.json': '',
    'README.md': '',
    '.next/a': '',
    'next.config.mjs': '',
  });
  execFileSync('git', ['init', '-q'], { cwd: root });
  expect(loadConfig(root).watch).toEqual(['data', 'layouts', 'next.config.mjs', 'package.json']);
});

test('packages of the same workspace that the site depends on are watched, and what is installed is not', async () => {
  const paths = await tempSite({
    'packages/ui/src/a.ts': '',
    'packages/ui/package.json': '{}',
    'packages/plain/a.js': '',
    'store/node_modules/.pnpm/x/node_modules/lodash/a.js': '',
    'apps/web/package.json': JSON.stringify({
      name: 'web',
      dependencies: { astro: '7', '@me/ui': 'workspace:*', plain: 'workspace:*', lodash: '4' },
    }),
  });
  const root = join(paths.root, 'apps/web');
  await mkdir(join(root, 'node_modules/@me'), { recursive: true });
  await symlink('../../../../packages/ui', join(root, 'node_modules/@me/ui'));
  await symlink('../../../packages/plain', join(root, 'node_modules/plain'));
  const lodash = join(paths.root, 'store/node_modules/.pnpm/x/node_modules/lodash');
  await symlink(lodash, join(root, 'node_modules/lodash'));
  const outside = loadConfig(root).watch.filter((path) => path.startsWith('..'));
  expect(outside).toEqual([
    '../../packages/ui/src',
    '../../packages/ui/package.json',
    '../../packages/plain',
  ]);
});

test.each([
  ['content/**/*.md', /no pattern/],
  ['content/*', /no pattern/],
  ['!content/drafts', /"ignore"/],
  ['~/notes', /not expanded/],
])('`watch` with %s is refused by name', async (path, why) => {
  const files = { 'slots.config.json': JSON.stringify({ watch: ['src', path] }) };
  const error = await configOf(needs('astro'), files).catch((e: Error) => e);
  expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(why) });
});

test('a path of a router, with brackets in it, is no pattern', async () => {
  const files = { 'slots.config.json': '{"watch":["app/[slug]","app/(shop)"]}' };
  expect((await configOf(needs('astro'), files)).watch.slice(0, 2)).toEqual([
    'app/[slug]',
    'app/(shop)',
  ]);
});

test.each([
  ['app.listen(3000);', '3000'],
  ['server.listen({ port: 8080 });', '8080'],
  ['const port = 3001;\napp.listen(port, () => {});', '3001'],
  ['app.listen(process.env.PORT || 3000);', null],
  ['const { PORT = 3000 } = process.env;\napp.listen(PORT);', null],
  ["const { port } = require('./config');\napp.listen(port);", null],
  ['// app.listen(3000);\nrequire("./app");', null],
])('a port that is written down in the entry is named: %s', async (code, port) => {
  const { root } = await tempSite({ 'server.js': code });
  const todo = detectFramework({ scripts: { start: 'node server.js' } }, filesOf(root))?.todo;
  if (port === null) expect(todo).toBeUndefined();
  else expect(todo).toContain(`server.js listens on port ${port},`);
});
