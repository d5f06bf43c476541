import { expect, test } from 'vitest';
import { allHold, allReady, allServe, type Machine, machine, startAll } from '../support/fleet.ts';
import { FLIPS, flipsOf, flipsText, quantile, spreadsOf } from '../support/fleet-flips.ts';
import { startLoad } from '../support/load.ts';
import { natsServer, relayTo } from '../support/nats.ts';
import { lacking, skipFor } from '../support/needs.ts';
import { PLAIN_PATHS } from '../support/plain-site.ts';

/** Each way, between each machine and NATS. */
const DELAY_MS = 40;

test(
  'three machines that are 80 ms away from NATS flip together under load',
  async ({ skip }) => {
    skipFor(skip, lacking('nats-server'));
    const nats = await natsServer();
    const machines: Machine[] = [];
    for (const id of ['web1', 'web2', 'web3']) {
      const { url } = await relayTo(nats.port, DELAY_MS);
      machines.push(await machine(id, url));
    }
    await startAll(machines);
    const options = { paths: PLAIN_PATHS, keepAlive: 2, fresh: 1, slow: 0 };
    const loads = machines.map(({ origin }) => startLoad(origin, options));
    const before = await Promise.all(machines.map(async (one) => (await flipsOf(one)).length));
    for (let n = 1; n <= FLIPS; n++) {
      await (machines[n % machines.length] as Machine).edit('page.txt', `page ${n}`);
      await allServe(machines, `page ${n}`);
      await allReady(machines);
      await allHold(machines, `page ${n}`);
    }
    const flips = await Promise.all(
      machines.map(async (one, index) => (await flipsOf(one)).slice(before[index])),
    );
    expect(flips.map((all) => all.length)).toEqual(machines.map(() => FLIPS));
    console.log(flipsText(`3 machines, ${2 * DELAY_MS} ms there and back`, flips));
    // Without an instant that all know, the news alone comes to them so far apart as their ways differ, and they are equal here.
    expect(flips.flat().every(({ lateMs }) => Number.isInteger(lateMs))).toBe(true);
    // A busy machine is late by itself; half of the flips are not.
    expect(quantile(spreadsOf(flips), 0.5)).toBeLessThanOrEqual(100);
    for (const load of loads) {
      const { failures, failed, requests } = await load.stop();
      expect(failures).toEqual([]);
      expect({ failed, some: requests > 0 }).toEqual({ failed: 0, some: true });
    }
  },
  120_000 + FLIPS * 20_000,
);
