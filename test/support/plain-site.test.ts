import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from './free-ports.ts';
import { startLoad } from './load.ts';
import { PLAIN_PATHS, PLAIN_TEMPLATE, plainSite } from './plain-site.ts';
import { isAlive } from './processes.ts';
import { until } from './until.ts';

describe('the plain site by itself', () => {
  let root: string;
  let origin: string;
  let server: ChildProcess;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'slots-'));
    await cp(PLAIN_TEMPLATE, root, { recursive: true });
    await symlink(join(import.meta.dirname, '../../node_modules'), join(root, 'node_modules'));
    await mkdir(join(root, 'out'));
    await promisify(execFile)(process.execPath, ['build.mjs', 'out'], { cwd: root });
    const [port] = await freePorts(1);
    origin = `http://127.0.0.1:${port}`;
    const env = { HOST: '127.0.0.1', PORT: String(port) };
    server = spawn(process.execPath, ['out/server.mjs'], { cwd: root, env, stdio: 'inherit' });
    await until(async () => (await fetch(origin)).ok, 'the plain site');
  });

  afterAll(async () => {
    server.kill('SIGKILL');
    await rm(root, { recursive: true, force: true });
  });

  test('serves visitors of every kind without a failure', async () => {
    const running = startLoad(origin, {
      paths: PLAIN_PATHS,
      complain: (_path, { body }) => (body === 'first page\n' ? null : JSON.stringify(body)),
      keepAlive: 10,
      fresh: 5,
      slow: 3,
      slowPath: '/api/slow?ms=300',
      events: 2,
      webSockets: 2,
      upload: { overMs: 1000 },
      download: { overMs: 1000 },
    });
    await delay(3000);
    const result = await running.stop();
    expect(result.failures).toEqual([]);
    expect(result.failed).toBe(0);
    expect(result.streams.map(({ end }) => end)).toEqual(['stopped', 'stopped']);
    for (const { events } of result.streams) expect(events).toBeGreaterThanOrEqual(3);
    for (const socket of result.sockets) {
      expect(socket.pongs).toBeGreaterThanOrEqual(2);
      expect(socket.closeCode).toBeNull();
    }
    for (const { requests } of Object.values(result.byKind)) expect(requests).toBeGreaterThan(0);
    for (const kind of ['upload', 'download'] as const) {
      expect(result.byKind[kind].slowestMs).toBeGreaterThanOrEqual(900);
    }
  });
});

test('a disposed site has left nothing', async () => {
  const site = await plainSite({ cleanup: 'caller' });
  await site.dispose();
  expect(existsSync(site.root)).toBe(false);
  expect(existsSync(site.env.PM2_HOME as string)).toBe(false);
});

test('a disposed site names and ends a process that was left running', async () => {
  const site = await plainSite({ cleanup: 'caller' });
  const env = { PATH: site.env.PATH as string, SLOTS_ROOT: site.root };
  const left = spawn('sleep', ['60'], { env });
  const pid = left.pid as number;
  await expect(site.dispose()).rejects.toThrow(`${pid} sleep 60`);
  await until(() => !isAlive(pid), 'its end');
  expect(existsSync(site.root)).toBe(false);
});
