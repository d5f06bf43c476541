import { expect, test } from 'vitest';
import { configSchema } from '../../src/config/schema.ts';

test('the defaults are those of the design', () => {
  const { proxy, cache, ...rest } = configSchema.parse({});
  expect(rest).toEqual({
    watch: ['content', 'src', 'public'],
    ignore: [],
    shared: [],
    usePolling: false,
    debounceMs: 300,
    buildTimeoutMs: 600_000,
    env: {},
    instances: 2,
    ports: { proxy: 4321, blue: 4322, green: 4323, admin: 4320 },
    host: '::',
    health: { path: '/', timeoutMs: 2000, intervalMs: 100, consecutive: 2, deadlineMs: 30_000 },
    drainTimeoutMs: 30_000,
    keep: 5,
    skew: { days: 30, maxBytes: 1024 ** 3 },
    admin: { host: '127.0.0.1', hosts: [] },
    notify: [],
  });
  expect(cache).toMatchObject({
    untilRelease: [],
    except: [],
    maxBytes: 64 * 1024 ** 2,
    maxEntryBytes: 1024 ** 2,
    staleIfErrorMs: 3_600_000,
  });
  expect(proxy).toMatchObject({
    workers: 2,
    exposeRelease: true,
    trustedProxies: ['loopback'],
  });
});

test('one key of a group leaves the others of the group at their defaults', () => {
  const { ports, health, proxy } = configSchema.parse({
    ports: { proxy: 80 },
    health: { path: '/ready' },
    proxy: { limits: { headerCount: 50 } },
  });
  expect(ports).toEqual({ proxy: 80, blue: 4322, green: 4323, admin: 4320 });
  expect(health).toMatchObject({ path: '/ready', consecutive: 2 });
  expect(proxy).toMatchObject({ workers: 2, limits: { headerCount: 50, headerBytes: 16_384 } });
});
