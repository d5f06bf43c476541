import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AppRole } from '../../src/config/ecosystem.ts';
import type { PlainSite } from '../support/plain-site.ts';
import { processesWith, signalProcess } from '../support/processes.ts';
import { until } from '../support/until.ts';
import { faultSite } from './fault-site.ts';

type Victim = 'daemon' | AppRole;

/** In this order, one right after the other. */
const ORDERS: Victim[][] = [
  ['daemon'],
  ['daemon', 'watcher'],
  ['watcher', 'daemon'],
  ['daemon', 'watcher', 'proxy'],
  ['proxy', 'watcher', 'daemon'],
  ['daemon', 'blue', 'green', 'watcher'],
  ['blue', 'green', 'daemon'],
];

async function kill(site: PlainSite, victim: Victim): Promise<void> {
  const pids = victim === 'daemon' ? [await site.daemonPid()] : (await site.pids())[victim];
  for (const pid of pids) if (pid !== null) signalProcess(pid, 'SIGKILL');
}

const running = async (site: PlainSite) =>
  (await processesWith([site.root])).map(({ command }) => command);

for (const order of ORDERS) {
  test(`slots down leaves no process when these were killed: ${order.join(', ')}`, async () => {
    const site = await faultSite();
    for (const victim of order) await kill(site, victim);
    const down = await site.slots('down');
    expect(down, down.stderr).toMatchObject({ exitCode: 0 });
    expect(await running(site)).toEqual([]);
    // What a controller had begun before it was ended sees that, and brings nothing back.
    const home = site.env.PM2_HOME as string;
    await until(async () => {
      const daemon = await site.daemonPid();
      return (await processesWith([home])).every(({ pid }) => pid === daemon);
    }, 'no process but the daemon to be left');
    expect(await running(site)).toEqual([]);
  });
}

test('instances end by themselves when the PM2 daemon, the controller and every worker are killed', async () => {
  const site = await faultSite();
  for (const victim of ['daemon', 'watcher', 'proxy'] as const) await kill(site, victim);
  expect(await running(site)).toHaveLength(4);
  await until(async () => (await running(site)).length === 0, 'the instances to end', 30_000);
});

test('everything ends by itself when the site is removed after the PM2 daemon was killed', async () => {
  const site = await faultSite();
  await kill(site, 'daemon');
  await rm(join(site.root, 'slots'), { recursive: true });
  await until(async () => (await running(site)).length === 0, 'the processes to end', 30_000);
});
