import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type App, apps, ecosystem, slotApp } from '../../src/config/ecosystem.ts';
import type { Config, UserConfig } from '../../src/config/schema.ts';
import { tempSite } from '../support/temp-site.ts';
import { testConfig } from '../support/test-config.ts';

function appsOf(config: UserConfig = {}): Record<string, App> {
  const list = apps('/srv/site', testConfig({ name: 'blog', ...config }));
  return Object.fromEntries(list.map((app) => [app.name, app]));
}

test('the PM2 apps are the four of the design, with its modes and numbers', () => {
  const list = Object.values(appsOf({ instances: 3, proxy: { workers: 4 } }));
  const shape = list.map(({ name, exec_mode, instances }) => [name, exec_mode, instances]);
  expect(Object.fromEntries(shape.map(([name, ...rest]) => [name, rest]))).toEqual({
    'blog-proxy': ['cluster', 4],
    'blog-watcher': ['fork', 1],
    'blog-blue': ['cluster', 3],
    'blog-green': ['cluster', 3],
  });
});

test('the PM2 apps all run in the folder of the site, as production, and restart after a crash', () => {
  for (const app of Object.values(appsOf())) {
    expect(app).toMatchObject({
      cwd: '/srv/site',
      autorestart: true,
      env: { NODE_ENV: 'production', SLOTS_ROOT: '/srv/site' },
    });
  }
});

test('PM2 gives none of the apps up, however often and fast they crash', () => {
  for (const app of Object.values(appsOf())) {
    expect(app).toMatchObject({ max_restarts: Number.MAX_SAFE_INTEGER });
  }
});

test('the PM2 apps all start a script that exists', () => {
  for (const { script } of Object.values(appsOf())) expect(existsSync(script)).toBe(true);
});

test('the PM2 apps start the controller first, since the workers ask it where to send visitors', () => {
  expect(Object.keys(appsOf())[0]).toBe('blog-watcher');
});

test('the PM2 apps tell each slot its own port, on the loopback address only', () => {
  const { 'blog-blue': blue, 'blog-green': green } = appsOf({ ports: { blue: 5001 } });
  expect(blue?.env).toMatchObject({ HOST: '127.0.0.1', PORT: '5001', SLOTS_SLOT: 'blue' });
  expect(green?.env).toMatchObject({ HOST: '127.0.0.1', PORT: '4323', SLOTS_SLOT: 'green' });
});

test('the PM2 apps give env to the site only, where HOST, PORT and what is ours win', () => {
  const env = {
    TOKEN: 'secret',
    NODE_ENV: 'staging',
    HOST: '0.0.0.0',
    PORT: '80',
    SLOTS_SLOT: 'red',
    SLOTS_ROOT: '/elsewhere',
  };
  const found = appsOf({ env });
  expect(found['blog-blue']?.env).toEqual({
    SLOTS_DEFINITION: expect.any(String),
    TOKEN: 'secret',
    NODE_ENV: 'staging',
    HOST: '127.0.0.1',
    PORT: '4322',
    SLOTS_SLOT: 'blue',
    SLOTS_DRAIN_TIMEOUT_MS: '30000',
    SLOTS_ROOT: '/srv/site',
  });
  for (const name of ['blog-proxy', 'blog-watcher']) {
    expect(found[name]?.env).not.toHaveProperty('TOKEN');
  }
});

test('the definition of a slot moves with its environment and its arguments, and not with the rest', () => {
  const definition = (change: Partial<Config>) =>
    slotApp('/srv/site', { ...testConfig(), ...change }, 'blue').env.SLOTS_DEFINITION;
  const other: Partial<Config>[] = [
    { env: { A: '1' } },
    { env: { A: '2' } },
    { envFiles: ['.env'] },
    { args: ['--verbose'] },
    { nodeArgs: ['--enable-source-maps'] },
  ];
  const all = [{}, ...other].map(definition);
  expect(new Set(all).size).toBe(all.length);
  expect(definition({ keep: 9, instances: 4 })).toBe(definition({}));
  expect(definition({ env: { A: '1', B: '2' } })).toBe(definition({ env: { B: '2', A: '1' } }));
});

test('the PM2 apps give a worker and the site longer to end than visitors may take', () => {
  const found = appsOf({ drainTimeoutMs: 60_000 });
  for (const name of ['blog-proxy', 'blog-blue', 'blog-green']) {
    expect(found[name]?.kill_timeout).toBeGreaterThan(60_000);
  }
});

test('the PM2 apps keep the heap of a worker small, and leave that of the site as it is', () => {
  for (const { name, node_args } of Object.values(appsOf())) {
    expect(node_args).toEqual(name === 'blog-proxy' ? ['--max-semi-space-size=8'] : undefined);
  }
});

test('the PM2 apps leave an instance stopped that has no release to serve', () => {
  expect(appsOf()['blog-blue']).toMatchObject({ stop_exit_codes: [78] });
  expect(appsOf()['blog-proxy']).not.toHaveProperty('stop_exit_codes');
});

test('an ecosystem comes from the config of the site', async () => {
  const { root } = await tempSite({
    'package.json': '{"name":"diary","dependencies":{"astro":"7"}}',
  });
  expect(
    ecosystem(root)
      .apps.map(({ name }) => name)
      .sort(),
  ).toEqual(['diary-blue', 'diary-green', 'diary-proxy', 'diary-watcher']);
});

test('the processes of a site are told to use no shared keys where skew is off, and get the keys themselves from nobody', () => {
  const envOf = (user: UserConfig) => slotApp('/site', testConfig(user), 'blue').env;
  expect(envOf({ skew: false })).toMatchObject({ SLOTS_SHARED_KEYS: 'off' });
  expect(Object.keys(envOf({})).filter((name) => /KEY/.test(name))).toEqual([]);
});
