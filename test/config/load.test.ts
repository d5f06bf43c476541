import { expect, test } from 'vitest';
import { CONFIG_FILES, findConfigFile, loadConfig } from '../../src/config/load.ts';
import { tempSite } from '../support/temp-site.ts';

const COMPLETE = { name: 'site', build: ['make', '{outDir}'], entry: 'server.mjs', keep: 9 };
const TEXT = JSON.stringify(COMPLETE);
const PACKAGE = JSON.stringify({ name: 'from-package', devDependencies: { astro: '^7.0.0' } });

const SOURCES: Record<string, string> = {
  'slots.config.ts': `type Words = string[];\nconst build: Words = ['make', '{outDir}'];\nexport default { ...${TEXT}, build };`,
  'slots.config.mjs': `export default ${TEXT};`,
  'slots.config.js': `export default ${TEXT};`,
  'slots.config.json': TEXT,
};

test.each(Object.entries(SOURCES))('loadConfig reads %s', async (name, text) => {
  const { root } = await tempSite({ [name]: text });
  expect(findConfigFile(root)).toBe(`${root}/${name}`);
  expect(loadConfig(root)).toMatchObject(COMPLETE);
});

test('loadConfig reads a slots.config.js that is CommonJS', async () => {
  const { root } = await tempSite({ 'slots.config.js': `module.exports = ${TEXT};` });
  expect(loadConfig(root)).toMatchObject(COMPLETE);
});

test('loadConfig reads a slots.config.js in a package of ES modules, with its imports', async () => {
  const { root } = await tempSite({
    'package.json': '{"type":"module"}',
    'more.js': `export const keep = 9;`,
    'slots.config.js': `import { keep } from './more.js';\nexport default { ...${TEXT}, keep };`,
  });
  expect(loadConfig(root)).toMatchObject(COMPLETE);
});

test.each(['two-slots', 'slots'])(
  'loadConfig: a config that imports %s gets the slots that loads it, wherever that is installed',
  async (name) => {
    const { root } = await tempSite({
      'package.json': '{ "name": "blog" }',
      'slots.config.ts': `import { defineConfig } from '${name}';\nexport default defineConfig({ build: 'true', entry: 'a.js', keep: 7 });`,
      // What the npm registry has by the old name.
      'node_modules/slots/index.js': 'module.exports = {};',
    });
    expect(loadConfig(root).keep).toBe(7);
  },
);

test('loadConfig: a byte order mark before package.json or a JSON config is no part of it', async () => {
  const { root } = await tempSite({
    'package.json': '\uFEFF{ "name": "blog" }',
    'slots.config.json': '\uFEFF{ "build": "true", "entry": "a.js" }',
  });
  expect(loadConfig(root)).toMatchObject({ name: 'blog', entry: 'a.js' });
});

test('loadConfig takes the first of several files, in the order that is documented', async () => {
  const { root } = await tempSite(SOURCES);
  expect(CONFIG_FILES).toEqual(Object.keys(SOURCES));
  expect(findConfigFile(root)).toBe(`${root}/slots.config.ts`);
});

test.each([
  ['slots.config.json', '{"keep": 9,', /JSON/],
  ['slots.config.ts', 'export default {', /slots\.config\.ts/],
  ['slots.config.mjs', `throw new Error('no token in the environment');`, /no token/],
  ['slots.config.js', `throw 'just a text';`, /just a text/],
  ['slots.config.mjs', `await 1;\nexport default {};`, /await/],
  ['slots.config.mjs', `import './missing.js';`, /missing\.js/],
])('loadConfig says CONFIG_UNREADABLE, the file and why: %s with %j', async (name, text, why) => {
  const { root } = await tempSite({ [name]: text });
  expect(() => loadConfig(root)).toThrow(
    expect.objectContaining({ code: 'CONFIG_UNREADABLE', message: expect.stringMatching(why) }),
  );
  expect(() => loadConfig(root)).toThrow(`${root}/${name}: `);
});

test('loadConfig says CONFIG_UNREADABLE when package.json does not parse', async () => {
  const { root } = await tempSite({ 'package.json': '{', 'slots.config.json': TEXT });
  expect(() => loadConfig(root)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_UNREADABLE',
      message: expect.stringContaining(`${root}/package.json: `),
    }),
  );
});

test('what a config leaves out comes from package.json and the framework in it, without any config file', async () => {
  const { root } = await tempSite({ 'package.json': PACKAGE });
  expect(findConfigFile(root)).toBeNull();
  expect(loadConfig(root)).toMatchObject({
    name: 'from-package',
    build: ['astro', 'build', '--outDir', '{outDir}'],
    entry: 'server/entry.mjs',
    keep: 5,
  });
});

test('what a config leaves out does not come from there when the config has it', async () => {
  const { root } = await tempSite({ 'package.json': PACKAGE, 'slots.config.json': TEXT });
  expect(loadConfig(root)).toMatchObject(COMPLETE);
});

test('what a config leaves out is a name without the scope of the package', async () => {
  const { root } = await tempSite({
    'package.json': '{"name":"@me/blog","dependencies":{"astro":"7"}}',
  });
  expect(loadConfig(root).name).toBe('blog');
});

test.each([
  ['name', { build: 'make', entry: 'e' }, '{}'],
  ['name', { build: 'make', entry: 'e' }, '{"name":"not a name for PM2"}'],
  ['name', { build: 'make', entry: 'e' }, '{"name":5}'],
  ['build', { entry: 'e' }, '{"name":"site"}'],
  ['entry', { build: 'make' }, '{"name":"site"}'],
])(
  'what a config leaves out is asked for when nothing tells: %s',
  async (key, config, packageJson) => {
    const { root } = await tempSite({
      'package.json': packageJson,
      'slots.config.json': JSON.stringify(config),
    });
    expect(() => loadConfig(root)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INCOMPLETE',
        message: expect.stringContaining(`"${key}"`),
        hint: expect.stringContaining(`"${key}"`),
      }),
    );
  },
);

test('what a config leaves out is asked for in a folder that has nothing at all', async () => {
  const { root } = await tempSite();
  expect(() => loadConfig(root)).toThrow(`${root}: "name" is not set`);
});

const config = (more: object = {}) => JSON.stringify({ ...COMPLETE, install: 'npm ci', ...more });

test('install watches the lock file and package.json too, besides what is watched anyway', async () => {
  const files = { 'package-lock.json': '{}', 'yarn.lock': '', 'slots.config.json': config() };
  expect(loadConfig((await tempSite(files)).root)).toMatchObject({
    lockFile: 'package-lock.json',
    watch: ['content', 'src', 'public', 'package-lock.json', 'package.json'],
  });
  const own = { 'pnpm-lock.yaml': '', 'slots.config.json': config({ watch: ['package.json'] }) };
  expect(loadConfig((await tempSite(own)).root).watch).toEqual(['package.json', 'pnpm-lock.yaml']);
});

test('install needs a lock file', async () => {
  const { root } = await tempSite({ 'slots.config.json': config() });
  expect(() => loadConfig(root)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INCOMPLETE',
      message: expect.stringMatching(/lock file/),
    }),
  );
});

test('install is not there by itself', async () => {
  const { root } = await tempSite({ 'package-lock.json': '{}', 'slots.config.json': TEXT });
  expect(loadConfig(root)).toMatchObject({ watch: ['content', 'src', 'public'] });
  expect(loadConfig(root).lockFile).toBeUndefined();
});
