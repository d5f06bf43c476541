import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Slot } from '../../src/slots/slot.ts';
import { type LoadResult, startLoad } from '../support/load.ts';
import type { PlainSite } from '../support/plain-site.ts';
import { signalProcess } from '../support/processes.ts';
import { until } from '../support/until.ts';
import { clientPorts, unixConnections } from './connections.ts';
import { expectNothingLeft, faultSite, LOAD, RECOVERY_TIMEOUT_MS } from './fault-site.ts';
import { recordFault, times } from './table.ts';

const KILLS_OF_ONE = times(3, 50);
const KILLS_OF_ALL = times(1, 20);

const MIXED = { ...LOAD, slow: 3, slowPath: '/api/slow?ms=200', pauseMs: 3 };

/** @returns how many connections of the proxy they held: no more requests than that can have been at work in them */
function kill(pids: readonly number[], slot: Slot, port: number): number {
  let held = 0;
  for (const pid of pids) {
    signalProcess(pid, 'SIGSTOP');
    held += clientPorts(pid, port).size + unixConnections(pid, `/run/${slot}-`);
  }
  for (const pid of pids) signalProcess(pid, 'SIGKILL');
  return held;
}

async function untilRenewed(site: PlainSite, slot: Slot, dead: readonly number[]): Promise<void> {
  await until(
    async () => {
      const { instances, healthy } = (await site.status()).slots[slot];
      const isNew = instances.every(
        ({ pid, status }) => status === 'online' && !dead.includes(pid),
      );
      return healthy && isNew && instances.length === 2;
    },
    `PM2 to start the instances of ${slot} again`,
    RECOVERY_TIMEOUT_MS,
  );
}

function record(fault: string, result: LoadResult, held: number, recoveryMs: number[]): void {
  recordFault({
    row: 3,
    fault,
    injected: recoveryMs.length,
    requests: result.requests,
    failed: result.failed,
    allowed: Math.min(result.failed, held),
    editsLost: 0,
    recoveryMs,
  });
}

test(`fails only what one instance was working on, killed ${KILLS_OF_ONE} times`, async () => {
  const site = await faultSite();
  const { active } = await site.status();
  const load = startLoad(site.origin, MIXED);
  const recoveryMs: number[] = [];
  let held = 0;
  for (let count = 0; count < KILLS_OF_ONE; count++) {
    const pids = (await site.pids())[active];
    const pid = pids[count % pids.length] as number;
    const killed = performance.now();
    held += kill([pid], active, site.ports[active]);
    await untilRenewed(site, active, [pid]);
    recoveryMs.push(performance.now() - killed);
  }
  const result = await load.stop();
  record('kill -9 one instance', result, held, recoveryMs);
  expect(result.failed, result.failures.join('\n')).toBeLessThanOrEqual(held);
  // A GET whose answer had not begun is asked again; all of the load are GETs.
  expect(result.failures.filter((failure) => !failure.includes('truncated'))).toEqual([]);
  const back = await site.status();
  expect(back.active).toBe(active);
  expect(back).not.toHaveProperty('failedOverFrom');
  await expectNothingLeft(site);
});

test(`fails over to the standby and back when every instance dies, ${KILLS_OF_ALL} times`, async () => {
  const site = await faultSite();
  const { active, slots } = await site.status();
  const standby: Slot = active === 'blue' ? 'green' : 'blue';
  const release = slots[active].release as string;
  const entry = join(site.root, 'slots/releases', release, 'dist/server.mjs');
  const load = startLoad(site.origin, MIXED);
  const recoveryMs: number[] = [];
  let held = 0;
  for (let count = 0; count < KILLS_OF_ALL; count++) {
    // It goes on dying until its entry is back.
    await rename(entry, `${entry}.away`);
    const killed = performance.now();
    for (const pid of (await site.pids())[active]) held += kill([pid], active, site.ports[active]);
    await until(async () => (await site.status()).active === standby, 'the fail-over', 30_000);
    recoveryMs.push(performance.now() - killed);
    expect(await site.status()).toMatchObject({
      failedOverFrom: active,
      slots: { [active]: { role: 'down', healthy: false }, [standby]: { role: 'active' } },
    });
    const { stdout } = await site.slots('status');
    expect(stdout).toContain(`${active} died: visitors are on ${standby}`);
    expect((await site.get()).release).toBe(slots[standby].release);

    await rename(`${entry}.away`, entry);
    await until(
      async () => (await site.status()).active === active,
      'the fail-back',
      RECOVERY_TIMEOUT_MS,
    );
    expect((await site.get()).release).toBe(release);
  }
  const result = await load.stop();
  record('kill -9 all instances', result, held, recoveryMs);
  expect(result.failed, result.failures.join('\n')).toBeLessThanOrEqual(held);
  const story = (await site.slots('logs', 'watcher')).stdout;
  expect(story).toMatch(/slot\.fail-over|visitors moved from/);
  await untilRenewed(site, active, []);
  await expectNothingLeft(site);
});
