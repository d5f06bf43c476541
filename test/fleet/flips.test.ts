import { expect, test } from 'vitest';
import { allHold, allReady, allServe, type Machine, machine, startAll } from '../support/fleet.ts';
import { FLIPS, flipsOf, flipsText } from '../support/fleet-flips.ts';
import { haproxyBefore } from '../support/haproxy.ts';
import { startLoad } from '../support/load.ts';
import { natsServer } from '../support/nats.ts';
import { lacking, skipFor } from '../support/needs.ts';
import { PLAIN_PATHS } from '../support/plain-site.ts';
import { signalProcess } from '../support/processes.ts';
import { getPage } from '../support/site.ts';
import { until } from '../support/until.ts';

/** A visitor whose every request goes to a random machine; what they saw go back, if anything. */
function wander(machines: readonly Machine[]) {
  let isOver = false;
  let requests = 0;
  const backwards: string[] = [];
  const walk = async () => {
    let cookie = '';
    let newest = -1;
    while (!isOver) {
      const { origin } = machines[Math.floor(Math.random() * machines.length)] as Machine;
      const headers = cookie === '' ? {} : { cookie };
      const page = await getPage(`${origin}/`, false, headers);
      requests++;
      const [set] = page.headers['set-cookie'] ?? [];
      if (set) cookie = set.split(';')[0] ?? '';
      const number = Number(/\d+$/.exec(page.body)?.[0] ?? 0);
      if (number < newest) backwards.push(`${newest} before ${number}`);
      newest = Math.max(newest, number);
    }
  };
  const walks = [walk(), walk()];
  return async () => {
    isOver = true;
    await Promise.all(walks);
    return { requests, backwards };
  };
}

test(
  'three machines flip together under load, behind HAProxy too, and no visitor sees an older page',
  async ({ skip }) => {
    skipFor(skip, lacking('nats-server', 'haproxy'));
    const nats = await natsServer();
    const ids = ['web1', 'web2', 'web3'];
    const fleet = { monotonic: true };
    const machines: Machine[] = [];
    for (const id of ids) machines.push(await machine(id, nats.url, { fleet }));
    await startAll(machines);
    const ports = machines.map(({ id, ports: { proxy } }) => ({ id, port: proxy }));
    const front = await haproxyBefore(ports);
    const options = { paths: PLAIN_PATHS, keepAlive: 2, fresh: 1, slow: 0 };
    const loads = [front, ...machines.map(({ origin }) => origin)].map((origin) =>
      startLoad(origin, options),
    );
    const before = await Promise.all(machines.map(async (one) => (await flipsOf(one)).length));
    const stopWandering = wander(machines);
    for (let n = 1; n <= FLIPS; n++) {
      await (machines[n % machines.length] as Machine).edit('page.txt', `page ${n}`);
      await allServe(machines, `page ${n}`);
      await allReady(machines);
      await allHold(machines, `page ${n}`);
    }
    const { requests, backwards } = await stopWandering();
    const flips = await Promise.all(
      machines.map(async (one, index) => (await flipsOf(one)).slice(before[index])),
    );
    expect(flips.map((all) => all.length)).toEqual(machines.map(() => FLIPS));
    console.log(flipsText('3 machines', flips), `${requests} requests of wandering visitors`);
    expect(backwards).toEqual([]);

    // One whose controller hangs is not asked by the balancer once the others have moved on.
    const [gone = 0] = (await (machines[2] as Machine).pids()).watcher;
    signalProcess(gone, 'SIGSTOP');
    const others = machines.slice(0, 2);
    await others[0]?.edit('page.txt', 'without web3 999');
    await allServe(others, 'without web3 999');
    signalProcess(gone, 'SIGCONT');
    await until(
      async () => (await getPage(`${front}/`)).body === 'without web3 999',
      'the new page',
    );
    await allServe(machines, 'without web3 999');
    await allReady(machines);
    for (const load of loads) {
      const { failures, failed } = await load.stop();
      expect(failures).toEqual([]);
      expect(failed).toBe(0);
    }
  },
  120_000 + FLIPS * 20_000,
);
