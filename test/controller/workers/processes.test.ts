import type { Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { workerProcesses } from '../../../src/controller/workers/processes.ts';
import type { Pm2 } from '../../../src/pm2.ts';
import { takeRunSocket } from '../../../src/slots/run-socket.ts';
import { tempSite } from '../../support/temp-site.ts';
import { testConfig } from '../../support/test-config.ts';

/** A worker of the front that says so in the site's folder; this process is it. */
async function workerOfFront(isWell: boolean) {
  const paths = await tempSite();
  const visitors: Socket[] = [];
  const socket = await takeRunSocket(join(paths.run, 'front-0.sock'), (visitor) => {
    visitor.on('error', () => {});
    visitors.push(visitor);
    if (isWell) visitor.end('here\n');
  });
  onTestFinished(() => {
    for (const visitor of visitors) visitor.destroy();
    socket.leave();
  });
  // PM2 is not asked: the front may be another daemon's.
  const processes = workerProcesses({} as Pm2, testConfig({ hosts: ['one.test'] }), paths);
  return { processes, socket };
}

test('a worker of the front counts for a site as long as it holds it', async () => {
  const { processes, socket } = await workerOfFront(true);
  expect((await processes.online()).map(({ pid }) => pid)).toEqual([process.pid]);
  socket.leave();
  expect(await processes.online()).toEqual([]);
});

test('a worker of the front that answers is not ended for the sake of one site', async () => {
  const { processes } = await workerOfFront(true);
  expect(await processes.mayEnd(process.pid)).toBe(false);
});

test('a worker of the front that hangs as a whole may be ended, and one that left need not', async () => {
  const { processes, socket } = await workerOfFront(false);
  expect(await processes.mayEnd(process.pid)).toBe(true);
  socket.leave();
  expect(await processes.mayEnd(process.pid)).toBe(false);
});
