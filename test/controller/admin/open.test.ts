import { expect, onTestFinished, test } from 'vitest';
import type { UserConfig } from '../../../src/config/schema.ts';
import { type AdminContext, lockHost, openAdmin } from '../../../src/controller/admin/open.ts';
import { createTrafficCounters } from '../../../src/controller/metrics/traffic-counters.ts';
import { takeSiteLock } from '../../../src/controller/site-lock.ts';
import { createStore } from '../../../src/controller/store.ts';
import { EMPTY_STATE } from '../../../src/slots/state.ts';
import { collectedLog } from '../../support/collected-log.ts';
import { freePorts } from '../../support/free-ports.ts';
import { tempSite } from '../../support/temp-site.ts';
import { testConfig } from '../../support/test-config.ts';
import { testOperations } from '../../support/test-operations.ts';

/** A controller's admin port, really bound. */
async function open(user: UserConfig) {
  const [admin = 0] = await freePorts(1);
  const config = { ...testConfig(user), ports: { proxy: 1, blue: 2, green: 3, admin } };
  const paths = await tempSite();
  const { log, events } = collectedLog();
  const server = await takeSiteLock(paths, admin, lockHost(config));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const context = {
    config,
    paths,
    log,
    store: createStore(EMPTY_STATE, async () => {}),
    workers: { status: () => [] },
    pm2: { all: async () => new Map() },
    monitor: { isHealthy: () => false },
    inbox: { pending: () => 0 },
    trafficCounters: createTrafficCounters(0, 5),
    operations: testOperations().operations,
  } as unknown as AdminContext;
  await openAdmin(server, context);
  const status = (host: string) =>
    fetch(`http://${host}:${admin}/metrics`).then(
      (answer) => answer.status,
      () => 'not there',
    );
  return { port: admin, paths, status, events };
}

test('the admin port is on the loopback address and nowhere else by default', async () => {
  const { status } = await open({});
  expect([await status('127.0.0.1'), await status('127.0.0.2')]).toEqual([200, 'not there']);
});

test('the admin port is on another address too when the config says so, and known by it', async () => {
  const { status } = await open({ admin: { host: '127.0.0.2' } });
  expect([await status('127.0.0.1'), await status('127.0.0.2')]).toEqual([200, 200]);
});

test('the admin port is on every address when the config says so, where only known names are answered', async () => {
  const { status } = await open({ admin: { host: '0.0.0.0', hosts: ['127.0.0.3'] } });
  expect(await Promise.all(['127.0.0.1', '127.0.0.2', '127.0.0.3'].map(status))).toEqual([
    200, 403, 200,
  ]);
});

test('the admin port is the lock of office wherever it listens', async () => {
  for (const hosts of [
    ['127.0.0.1', '0.0.0.0'],
    ['0.0.0.0', '127.0.0.1'],
    ['127.0.0.2', '0.0.0.0'],
  ]) {
    const [first, second] = hosts.map((host) => lockHost(testConfig({ admin: { host } })));
    const { port, paths } = await open({ admin: { host: first as string } });
    await expect(takeSiteLock(paths, port, second)).rejects.toMatchObject({ code: 'PORT_TAKEN' });
  }
});

test('the admin port that cannot be on the other address is said, and is on the loopback all the same', async () => {
  const { status, events } = await open({ admin: { host: '192.0.2.1' } });
  expect(await status('127.0.0.1')).toBe(200);
  expect(events('admin.listen-failed')).toMatchObject([{ host: '192.0.2.1' }]);
});

test('the admin port takes pushes only when the config says so', async () => {
  const secret = 'k'.repeat(16);
  for (const [user, status] of [
    [{}, 404],
    [{ deploy: { git: false, secret } }, 404],
    [{ deploy: { git: true, secret } }, 401],
  ] as const) {
    const { port } = await open(user);
    const answer = await fetch(`http://127.0.0.1:${port}/hooks/git`, { method: 'POST' });
    expect(answer.status).toBe(status);
  }
});
