import { expect, test } from 'vitest';
import { allReady, allServe, type Machine, machine, startAll } from '../support/fleet.ts';
import { startLoad } from '../support/load.ts';
import { natsServer } from '../support/nats.ts';
import { lacking, skipFor } from '../support/needs.ts';
import { nginxBefore } from '../support/nginx.ts';
import { PLAIN_PATHS } from '../support/plain-site.ts';
import { signalProcess } from '../support/processes.ts';
import { getPage } from '../support/site.ts';

test('behind nginx as docs/fleet.md has it, no GET fails for a machine without a release, or for one that is killed', async ({
  skip,
}) => {
  skipFor(skip, lacking('nats-server', 'nginx'));
  const nats = await natsServer();
  const machines: Machine[] = [];
  for (const id of ['web1', 'web2', 'web3']) machines.push(await machine(id, nats.url));
  const [web1, web2, web3] = machines as [Machine, Machine, Machine];
  const both = [web1, web2];
  await startAll(both);
  // A key of its own: it gets no release, and all its visitors a 503.
  await web3.slots('fleet', 'invite');
  expect((await web3.slots('up')).exitCode).toBe(1);
  expect((await web3.get()).status).toBe(503);

  const front = await nginxBefore(machines.map(({ ports: { proxy } }) => proxy));
  const load = startLoad(front, { paths: PLAIN_PATHS, keepAlive: 2, fresh: 2, slow: 0 });
  await web1.edit('page.txt', 'behind nginx');
  await allServe(both, 'behind nginx');
  await allReady(both);
  for (let n = 0; n < 30; n++) {
    expect(await getPage(`${front}/`)).toMatchObject({ status: 200, body: 'behind nginx' });
  }

  const daemon = await web2.daemonPid();
  const { proxy, watcher } = await web2.pids();
  for (const pid of [daemon ?? 0, ...proxy, ...watcher]) signalProcess(pid, 'SIGKILL');
  for (let n = 0; n < 30; n++) expect((await getPage(`${front}/`)).status).toBe(200);
  const { failures, failed, requests } = await load.stop();
  expect(failures).toEqual([]);
  expect({ failed, some: requests > 0 }).toEqual({ failed: 0, some: true });
});
