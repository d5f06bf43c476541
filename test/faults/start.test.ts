import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { Config, UserConfig } from '../../src/config/schema.ts';
import { startLoad } from '../support/load.ts';
import { type PlainSite, plainSite } from '../support/plain-site.ts';
import { until } from '../support/until.ts';
import {
  expectNothingLeft,
  faultSite,
  killOne,
  LOAD,
  pageOf,
  pidOf,
  RECOVERY_TIMEOUT_MS,
  untilControllerAfter,
  untilLive,
} from './fault-site.ts';
import { longTest } from './long-test.ts';
import { recordFault } from './table.ts';

const CONTROLLER = fileURLToPath(new URL('../../dist/controller/main.js', import.meta.url));

const SECOND_CONTROLLERS = 10;

const NOTHING = { requests: 0, failed: 0, editsLost: 0, recoveryMs: [] };

async function take(port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await until(
    () =>
      new Promise<boolean>((resolve) => {
        server.once('error', () => resolve(false));
        server.listen(port, '127.0.0.1', () => resolve(true));
      }),
    `port ${port} to be free`,
  );
  onTestFinished(() => void server.close());
  return server;
}

async function changeConfig(site: PlainSite, change: (config: UserConfig) => void): Promise<void> {
  const file = join(site.root, 'slots.config.json');
  const config = JSON.parse(await readFile(file, 'utf8'));
  change(config);
  await writeFile(file, JSON.stringify(config));
}

test('names the port that another program has at the start, and starts nothing', async () => {
  const site = await plainSite();
  const keys: (keyof Config['ports'])[] = ['proxy', 'blue', 'green', 'admin'];
  for (const key of keys) {
    const server = await take(site.ports[key]);
    const { exitCode, stderr } = await site.slots('up');
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`ports.${key}: port ${site.ports[key]} is taken by another program`);
    expect(Object.values(await site.pids()).flat()).toEqual([]);
    server.close();
  }
  expect((await site.slots('up')).exitCode).toBe(0);
  recordFault({ row: 8, fault: 'a port taken at the start', injected: 4, ...NOTHING });
  await expectNothingLeft(site, 1);
});

test('a controller whose port was taken meanwhile says so and comes back once it is free', async () => {
  const site = await faultSite();
  const load = startLoad(site.origin, LOAD);
  const pid = await killOne(site, 'watcher');
  const server = await take(site.ports.admin);
  await site.edit('page.txt', pageOf(2));
  await until(
    async () => (await site.slots('logs', 'watcher')).stdout.includes('is taken by another'),
    'the log to say why',
    30_000,
  );
  const freed = performance.now();
  server.close();
  await untilControllerAfter(site, pid);
  const recoveryMs = [performance.now() - freed];
  await untilLive(site, 2);
  const { requests, failed, failures } = await load.stop();
  recordFault({
    row: 8,
    fault: 'the admin port taken while running',
    injected: 1,
    requests,
    failed,
    editsLost: 0,
    recoveryMs,
  });
  expect(failures).toEqual([]);
  await expectNothingLeft(site);
});

longTest(
  'a standby whose port was taken is nobody to fall back to, and comes back once it is free',
  async () => {
    const site = await faultSite();
    const { active } = await site.status();
    const standby = active === 'blue' ? 'green' : 'blue';
    const load = startLoad(site.origin, LOAD);
    for (const pid of (await site.pids())[standby]) process.kill(pid, 'SIGKILL');
    const server = await take(site.ports[standby]);
    await until(async () => !(await site.status()).slots[standby].healthy, 'it to be unhealthy');
    const status = await site.status();
    expect(status.active).toBe(active);
    expect(status).not.toHaveProperty('failedOverFrom');
    const freed = performance.now();
    server.close();
    await until(
      async () => (await site.status()).slots[standby].healthy,
      'the standby to be warm again',
      RECOVERY_TIMEOUT_MS,
    );
    const recoveryMs = [performance.now() - freed];
    const { requests, failed, failures } = await load.stop();
    recordFault({
      row: 8,
      fault: "the standby's port taken while running",
      injected: 1,
      requests,
      failed,
      editsLost: 0,
      recoveryMs,
    });
    expect(failures).toEqual([]);
    await expectNothingLeft(site);
  },
);

longTest('a proxy whose port was taken comes back once it is free', async () => {
  const site = await faultSite();
  for (const pid of (await site.pids()).proxy) process.kill(pid, 'SIGKILL');
  const server = await take(site.ports.proxy);
  await until(
    async () => (await site.slots('logs', 'proxy')).stdout.includes('EADDRINUSE'),
    'the log to say why',
    30_000,
  );
  const freed = performance.now();
  server.close();
  await until(async () => (await site.get()).body === pageOf(1), 'an answer', RECOVERY_TIMEOUT_MS);
  recordFault({
    row: 8,
    fault: 'the public port taken while running',
    injected: 1,
    ...NOTHING,
    recoveryMs: [performance.now() - freed],
  });
  await expectNothingLeft(site);
});

longTest('two controllers: the second one names the first and leaves', async () => {
  const site = await faultSite();
  const first = await pidOf(site, 'watcher');
  for (let count = 0; count < SECOND_CONTROLLERS; count++) {
    const second = spawn(process.execPath, [CONTROLLER], {
      cwd: site.root,
      env: { ...site.env, SLOTS_ROOT: site.root },
    });
    let output = '';
    second.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const [code] = await once(second, 'exit');
    expect(code).toBe(1);
    expect(output).toContain(`this site's controller runs already, with pid ${first}`);
  }
  recordFault({ row: 8, fault: 'a second controller', injected: SECOND_CONTROLLERS, ...NOTHING });
  expect(await pidOf(site, 'watcher')).toBe(first);
  await expectNothingLeft(site);
});

longTest('several `slots up` at once start everything once', async () => {
  const site = await plainSite();
  const results = await Promise.all([1, 2, 3].map(() => site.slots('up')));
  expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  recordFault({ row: 8, fault: '`slots up` three times at once', injected: 1, ...NOTHING });
  await expectNothingLeft(site, 1);
});

test('a config that changes while it is in use is put into effect as far as nobody notices', async () => {
  const site = await faultSite();
  const load = startLoad(site.origin, LOAD);
  const { blue, green } = site.ports;
  await changeConfig(site, (config) => {
    config.ports = { ...config.ports, blue: green, green: blue };
    config.debounceMs = 50;
  });
  // Whoever is started again by PM2 still fits to the others.
  const pid = await killOne(site, 'watcher');
  await killOne(site, 'proxy');
  await untilControllerAfter(site, pid);
  await site.edit('page.txt', pageOf(2));
  await untilLive(site, 2);

  await changeConfig(site, (config) => {
    config.keep = 3;
  });
  const before = await pidOf(site, 'watcher');
  const up = await site.slots('up');
  expect(up).toMatchObject({ exitCode: 0 });
  expect(up.stdout).toContain('the config has changed: starting the controller again');
  expect(up.stderr).toContain('changed, but not in effect: ports.blue, ports.green');
  expect(await pidOf(site, 'watcher')).not.toBe(before);
  expect((await site.slots('up')).stdout).not.toContain('the config has changed');

  // A file that is broken just now keeps no worker from coming back.
  const file = join(site.root, 'slots.config.json');
  const whole = await readFile(file, 'utf8');
  await writeFile(file, whole.slice(0, 40));
  const workers = (await site.status()).proxy.workers.map((worker) => worker.pid);
  await killOne(site, 'proxy');
  await until(
    async () => {
      const now = (await site.status()).proxy.workers.map((worker) => worker.pid);
      return now.length === 2 && now.some((worker) => !workers.includes(worker));
    },
    'the worker to come back',
    RECOVERY_TIMEOUT_MS,
  );
  await writeFile(file, whole);
  await site.edit('page.txt', pageOf(3));
  await untilLive(site, 3);
  const { requests, failed } = await load.stop();
  // Two workers were killed, and each of nine clients had one request open at most.
  expect(failed).toBeLessThanOrEqual(18);
  recordFault({
    row: 8,
    fault: 'the config changed while running',
    injected: 3,
    requests,
    failed,
    allowed: failed,
    editsLost: 0,
    recoveryMs: [],
  });
  await expectNothingLeft(site);
});
