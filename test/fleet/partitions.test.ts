import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Stage } from '../../src/slots/state.ts';
import { allReady, allServe, type Machine, machine, startAll } from '../support/fleet.ts';
import { startLoad } from '../support/load.ts';
import { natsServer, type Relay, relayTo } from '../support/nats.ts';
import { lacking, skipFor } from '../support/needs.ts';
import { PLAIN_PATHS } from '../support/plain-site.ts';
import { until } from '../support/until.ts';

const LEASE_MS = 2000;
/** A busy machine answers late. */
const LATE_MS = 500;

/** What a load balancer sees of one machine from here on: each answer of `/.slots/ready`, and when it was asked for. */
function watchReady(one: Machine) {
  const seen: { at: number; status: number }[] = [];
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      const at = performance.now();
      const { status } = await one.get('/.slots/ready');
      seen.push({ at, status });
      await delay(20);
    }
  })();
  return async () => {
    isOver = true;
    await watching;
    return seen;
  };
}

/** Has an edit of the first machine promoted, and cuts the victim off as soon as its promotion is at this stage. */
async function cutAt(victim: Machine, relay: Relay, stage: Stage, edit: () => Promise<void>) {
  const before = (await victim.status()).last?.id;
  await edit();
  await until(async () => {
    const { promotion, last } = await victim.status();
    return promotion?.stage === stage || last?.id !== before;
  }, `${victim.id} to ${stage}`);
  relay.cut();
  return performance.now();
}

test.for(['serve', 'fence'] as const)(
  'whichever of three machines is cut off while all prepare, with onPartition: %s no request fails, no edit is lost, and all serve one release when it is healed',
  { timeout: 600_000 },
  async (onPartition, { skip }) => {
    skipFor(skip, lacking('nats-server'));
    const nats = await natsServer();
    const machines: Machine[] = [];
    const relays: Relay[] = [];
    for (const id of ['web1', 'web2', 'web3']) {
      const relay = await relayTo(nats.port);
      relays.push(relay);
      const fleet = { leaseMs: LEASE_MS, onPartition };
      machines.push(await machine(id, relay.url, { fleet }));
    }
    await startAll(machines);
    const options = { paths: PLAIN_PATHS, keepAlive: 2, fresh: 1, slow: 0 };
    const loads = machines.map(({ origin }) => startLoad(origin, options));
    const [builder] = machines as [Machine, ...Machine[]];
    for (const [index, victim] of machines.entries()) {
      const relay = relays[index] as Relay;
      const others = machines.filter((one) => one !== victim);
      const text = `${victim.id} is cut off`;
      const cutOffAt = await cutAt(victim, relay, 'start', () => builder.edit('page.txt', text));
      const stopWatching = watchReady(victim);
      await victim.edit(`${victim.id}.txt`, `saved on ${victim.id} in the dark`);
      // Who had the lease has the edit: the others stay as they are until it is back.
      if (victim !== builder) await allServe(others, text);
      await until(async () => !(await victim.fleet()).connected, `${victim.id} to miss NATS`);
      await delay(Math.max(0, cutOffAt + LEASE_MS + 3 * LATE_MS - performance.now()));
      expect((await victim.get()).status).toBe(200);
      const seen = await stopWatching();
      const late = seen.filter(({ at }) => at > cutOffAt + LEASE_MS + LATE_MS);
      expect(late.length).toBeGreaterThan(0);
      expect(new Set(late.map(({ status }) => status))).toEqual(
        new Set([onPartition === 'fence' ? 503 : 200]),
      );
      relay.heal();
      await allServe(machines, text);
      await allReady(machines);
      for (const { id, root } of machines) {
        const file = join(root, 'src/content', `${victim.id}.txt`);
        const has = async () => (await readFile(file, 'utf8').catch(() => '')) !== '';
        await until(has, `${id} to have the edit of ${victim.id}`);
      }
      await allReady(machines);
      await allServe(machines, text);
    }
    for (const load of loads) {
      const { failures, failed, requests } = await load.stop();
      expect(failures).toEqual([]);
      expect({ failed, some: requests > 0 }).toEqual({ failed: 0, some: true });
    }
  },
);
