import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { tryProbeInstances } from '../../../src/controller/health/probe.ts';
import { PID_HEADER } from '../../../src/slots/headers.ts';
import { instanceSocket } from '../../../src/wire/instance-socket.ts';
import { freePorts } from '../../support/free-ports.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { testConfig } from '../../support/test-config.ts';

/** An instance that says this pid, and which host it was asked for. */
async function instance(at: number | string, pid: number, hosts: unknown[] = []): Promise<void> {
  const server = createServer(({ headers }, response) => {
    hosts.push(headers.host);
    response.setHeader(PID_HEADER, String(pid)).end();
  });
  const where = typeof at === 'string' ? { path: at } : { port: at, host: '127.0.0.1' };
  await new Promise<void>((resolve) => server.listen(where, resolve));
  onTestFinished(() => void server.close());
}

async function slot() {
  const [blue = 0] = await freePorts(1);
  const base = testConfig();
  const config = { ...base, instances: 3, ports: { ...base.ports, blue } };
  const run = join(await tempFolder(), 'run');
  await mkdir(run);
  const pids = async () =>
    (await tryProbeInstances(config, run, 'blue')).map((answer) =>
      answer instanceof Error ? (answer as NodeJS.ErrnoException).code : answer.pid,
    );
  return { port: blue, at: (n: number) => instanceSocket(run, 'blue', n), pids };
}

test('each instance of a slot is asked at its own socket, by the name of the slot’s port', async () => {
  const { port, at, pids } = await slot();
  const hosts: unknown[] = [];
  for (const n of [0, 1, 2]) await instance(at(n), 100 + n, hosts);
  expect(await pids()).toEqual([100, 101, 102]);
  expect(new Set(hosts)).toEqual(new Set([`127.0.0.1:${port}`]));
});

test('an instance without a socket is asked on the slot’s port', async () => {
  const { port, at, pids } = await slot();
  await instance(port, 7);
  await instance(at(1), 101);
  expect(await pids()).toEqual([7, 101, 7]);
});

test('an instance that was killed is not well, though others answer on the slot’s port', async () => {
  const { port, at, pids } = await slot();
  await instance(port, 7);
  const killed = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 9))`;
  spawnSync(process.execPath, ['-e', killed, at(0)]);
  expect(await pids()).toEqual(['ECONNREFUSED', 7, 7]);
});
