import { expect, test } from 'vitest';
import {
  allReady,
  allServe,
  type Machine,
  machine,
  startAll,
  twoMachines,
} from '../support/fleet.ts';
import { natsServer, relayTo } from '../support/nats.ts';
import { lacking, skipFor } from '../support/needs.ts';
import { signalProcess } from '../support/processes.ts';
import { until } from '../support/until.ts';

const lacks = lacking('nats-server');

async function controller(site: Machine): Promise<number> {
  const [pid = 0] = (await site.pids()).watcher;
  return pid;
}

test('a machine that cannot prepare a release keeps all as they are, and the next edit goes live', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const { web1, web2, both } = await twoMachines({ config: { env: { CRASH_ON: 'poison' } } });
  const before = await allReady(both);
  await web1.edit('page.txt', 'poison');
  const ended = await until(async () => {
    const { last, promotion } = await web1.status();
    return promotion === null && last?.outcome === 'failed' && last;
  }, 'the promotion to fail');
  expect(ended.error).toContain('web2 could not prepare it');
  expect(await allReady(both)).toBe(before);
  for (const one of both) expect((await one.get()).release).toBe(before);
  await web1.edit('page.txt', 'cured');
  await allServe(both, 'cured');
  await allReady(both);
  await web2.edit('page.txt', 'from web2');
  await allServe(both, 'from web2');
});

test('a machine whose controller is stopped is left out within its lease, and catches up', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const { web1, web2, both } = await twoMachines();
  const stopped = await controller(web2);
  signalProcess(stopped, 'SIGSTOP');
  const began = performance.now();
  await web1.edit('page.txt', 'without web2');
  await until(async () => (await web1.get()).body === 'without web2', 'web1 to go on alone');
  expect(performance.now() - began).toBeLessThan(20_000);
  const seen = (await web1.fleet()).machines.find(({ id }) => id === 'web2');
  expect(seen).toMatchObject({ online: false, ready: false });
  signalProcess(stopped, 'SIGCONT');
  await allServe(both, 'without web2');
  await allReady(both);
});

test('without NATS all serve on, an edit waits, and is promoted when NATS is back', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const { nats, web1, both } = await twoMachines();
  const before = await allReady(both);
  await nats.kill();
  await web1.edit('page.txt', 'made in the dark');
  await until(async () => {
    const { problem } = (await web1.status()).watcher;
    return problem?.includes('waits for NATS');
  }, 'status to say that the edit waits');
  for (const one of both) expect((await one.get()).release).toBe(before);
  await nats.start();
  await allServe(both, 'made in the dark');
  await allReady(both);
});

test('a store that was wiped gets back what all serve, and the next edit goes live', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const { nats, web1, web2, both } = await twoMachines();
  await web1.edit('page.txt', 'second');
  await allServe(both, 'second');
  const before = await allReady(both);
  const { epoch } = await web1.fleet();
  await nats.kill();
  await nats.wipe();
  await nats.start();
  await until(async () => {
    const { connected, ...found } = await web2.fleet();
    return connected && found.epoch === epoch && found.release === before;
  }, 'the store to be filled again');
  await web2.edit('page.txt', 'after the loss');
  await allServe(both, 'after the loss');
  await allReady(both);
});

test('a machine that is cut off serves on, and catches up when it is healed', async ({ skip }) => {
  skipFor(skip, lacks);
  const nats = await natsServer();
  const relay = await relayTo(nats.port);
  const web1 = await machine('web1', nats.url);
  const web2 = await machine('web2', relay.url, { fleet: { onPartition: 'fence' } });
  const both = [web1, web2];
  await startAll(both);
  relay.cut();
  await until(async () => {
    const [own] = (await web2.fleet()).machines.filter(({ id }) => id === 'web2');
    return own?.ready === false && own.why?.includes('cut off');
  }, 'the fence');
  expect((await web2.get()).status).toBe(200);
  await web1.edit('page.txt', 'beyond the cut');
  await until(async () => (await web1.get()).body === 'beyond the cut', 'web1 to go on alone');
  relay.heal();
  await allServe(both, 'beyond the cut');
  await allReady(both);
});

test('edits of one file on two machines at once: one goes live, the other is said, and none is lost', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const nats = await natsServer();
  const relay = await relayTo(nats.port);
  const web1 = await machine('web1', nats.url);
  const web2 = await machine('web2', relay.url);
  const both = [web1, web2];
  await startAll(both);
  relay.cut();
  await until(async () => !(await web2.fleet()).connected, 'web2 to be cut off');
  await web2.edit('page.txt', 'of web2');
  await web1.edit('page.txt', 'of web1');
  await until(async () => (await web1.get()).body === 'of web1', 'the edit of web1');
  relay.heal();
  await until(async () => {
    const { problem } = (await web2.status()).watcher;
    return problem?.includes('page.txt was edited here and on another machine at once');
  }, 'web2 to say that there are two');
  await allServe(both, 'of web1');
  expect(await web2.slots('promote', '--wait')).toMatchObject({ exitCode: 0 });
  await allServe(both, 'of web2');
});

test('a machine that joins serves what the others serve, and a second one of its id is refused', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const { nats, web1, both } = await twoMachines();
  await web1.edit('page.txt', 'before it came');
  await allServe(both, 'before it came');
  const web3 = await machine('web3', nats.url);
  await startAll([web3]);
  expect((await web3.get()).body).toBe('before it came');
  await allReady([...both, web3]);
  const twin = await machine('web3', nats.url);
  const refused = await twin.slots('up');
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain('has the id "web3"');
  await allReady([...both, web3]);
});

test('a rollback, a pause and a resume of one machine leave the others alone', async ({ skip }) => {
  skipFor(skip, lacks);
  const { web1, web2, both } = await twoMachines();
  const first = await allReady(both);
  await web1.edit('page.txt', 'second');
  await allServe(both, 'second');
  await allReady(both);
  expect(await web2.slots('rollback', '--local')).toMatchObject({ exitCode: 0 });
  expect((await web2.get()).release).toBe(first);
  expect((await web1.get()).body).toBe('second');
  await until(async () => {
    const own = (await web1.fleet()).machines.find(({ id }) => id === 'web2');
    return own?.ready === false;
  }, 'web2 to be set apart');
  expect(await web2.slots('resume', '--local')).toMatchObject({ exitCode: 0 });
  await allServe(both, 'second');
  await allReady(both);
  expect(await web1.slots('pause')).toMatchObject({ exitCode: 0 });
  await until(async () => (await web2.status()).watcher.paused, 'the pause to be for all');
  expect(await web2.slots('resume')).toMatchObject({ exitCode: 0 });
  await until(async () => !(await web1.status()).watcher.paused, 'the resume to be for all');
});

test('a machine that joins while a promotion runs is ready with what that ends in, and one that leaves is forgotten', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const nats = await natsServer();
  const fleet = { forgetMs: 8000 };
  const web1 = await machine('web1', nats.url, { fleet });
  const web2 = await machine('web2', nats.url, { fleet });
  await startAll([web1, web2]);
  const web3 = await machine('web3', nats.url, { fleet });
  const joining = web3.slots('up');
  await web1.edit('page.txt', 'while it came');
  expect(await joining).toMatchObject({ exitCode: 0 });
  await allServe([web1, web2, web3], 'while it came');
  await allReady([web1, web2, web3]);
  expect(await web3.slots('down')).toMatchObject({ exitCode: 0 });
  const ids = async () => (await web1.fleet()).machines.map(({ id }) => id);
  await until(async () => !(await ids()).includes('web3'), 'web3 to be forgotten');
  await web2.edit('page.txt', 'without it');
  await allServe([web1, web2], 'without it');
});
