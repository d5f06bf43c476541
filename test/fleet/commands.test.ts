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
const CACHED = { config: { cache: { untilRelease: ['/**'] } } };
const PATHS = ['/', '/file', '/lazy'];

async function statusOf(one: Machine, path: string): Promise<string> {
  return String((await one.get(path)).headers['cache-status']);
}

/** Each path is answered from memory. */
async function fill(machines: readonly Machine[]): Promise<void> {
  for (const one of machines) {
    for (const path of PATHS) {
      const isHit = async () => (await statusOf(one, path)).includes('hit');
      await until(isHit, `${one.id} to have ${path} in memory`);
    }
  }
}

/** Asks each path once, from the last one on, so that what is not in memory is seen once. */
async function forgottenBy(one: Machine): Promise<string[]> {
  const forgotten: string[] = [];
  for (const path of PATHS) {
    if (!(await statusOf(one, path)).includes('hit')) forgotten.push(path);
  }
  return forgotten;
}

/** How many purges of others the machine has done. */
async function purgesOf(one: Machine): Promise<number> {
  const { stdout } = await one.slots('logs', 'watcher', '-n', '1000');
  return stdout.split('\n').filter((line) => line.includes('has purged')).length;
}

async function ordered(one: Machine, ...args: string[]): Promise<void> {
  const { exitCode, stderr } = await one.slots(...args);
  if (exitCode !== 0) throw new Error(`slots ${args.join(' ')} on ${one.id}: ${stderr}`);
}

/** Two machines on a release that web1 has built, with another one to go back to. */
async function onSecondRelease() {
  const { web1, web2, both } = await twoMachines();
  const first = await allReady(both);
  await web1.edit('page.txt', 'second');
  await allServe(both, 'second');
  await allReady(both);
  return { web1, web2, both, first };
}

test('a purge is for all machines, from any of them, and forgets what was named and nothing else; with --local it is for one', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const nats = await natsServer();
  const relay = await relayTo(nats.port);
  const web1 = await machine('web1', nats.url, CACHED);
  const web2 = await machine('web2', relay.url, CACHED);
  const both = [web1, web2];
  await startAll(both);
  await fill(both);
  await ordered(web2, 'purge', '/file');
  await until(async () => (await purgesOf(web1)) === 1, 'web1 to hear of it');
  for (const one of both) expect(await forgottenBy(one)).toEqual(['/file']);

  await fill(both);
  await ordered(web1, 'purge', '--local');
  expect(await forgottenBy(web1)).toEqual(PATHS);
  expect(await forgottenBy(web2)).toEqual([]);

  // Two before the other machine has looked: the store keeps the last one only.
  await fill(both);
  const [stopped = 0] = (await web1.pids()).watcher;
  signalProcess(stopped, 'SIGSTOP');
  await ordered(web2, 'purge', '/file');
  await ordered(web2, 'purge', '/lazy');
  signalProcess(stopped, 'SIGCONT');
  await until(async () => (await purgesOf(web1)) > 1, 'web1 to hear of them');
  await allReady(both);
  expect(await forgottenBy(web1)).toEqual(expect.arrayContaining(['/file', '/lazy']));

  // While one is cut off.
  await fill(both);
  relay.cut();
  await until(async () => !(await web2.fleet()).connected, 'web2 to be cut off');
  const refused = await web2.slots('purge', '/file');
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('`--local`') });
  const before = await purgesOf(web2);
  await ordered(web1, 'purge', '/file');
  await ordered(web1, 'purge', '/');
  relay.heal();
  await until(async () => (await purgesOf(web2)) > before, 'web2 to hear of them');
  expect(await forgottenBy(web2)).toEqual(expect.arrayContaining(['/', '/file']));
});

test('a machine that was paused by itself promotes none of its edits, serves those of the others, and a resume of the others leaves it so', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const { web1, web2, both } = await twoMachines();
  await ordered(web2, 'pause', '--local');
  expect((await web1.status()).watcher.paused).toBe(false);
  await web2.edit('other.txt', 'waits on web2');
  await web1.edit('page.txt', 'of web1');
  await allServe(both, 'of web1');
  await allReady(both);
  const live = await allReady(both);
  await ordered(web1, 'pause');
  await ordered(web1, 'resume');
  await until(async () => !(await web1.status()).watcher.paused, 'web1 to be resumed');
  expect((await web2.status()).watcher.paused).toBe(true);
  expect((await web2.get()).release).toBe(live);
  await ordered(web2, 'resume', '--local');
  const next = await until(async () => {
    const { release } = await web1.get();
    return release !== live && release;
  }, 'the edit of web2 to be live on web1');
  expect(await allReady(both)).toBe(next);
});

test('a machine that built and was rolled back by itself keeps its release while the others go on, and comes back with resume --local', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const { web1, web2, both, first } = await onSecondRelease();
  await ordered(web1, 'rollback', '--local');
  expect((await web1.get()).release).toBe(first);
  await web2.edit('page.txt', 'third');
  await allServe([web2], 'third');
  expect((await web1.get()).release).toBe(first);
  const ready = await web1.get('/.slots/ready');
  expect(ready).toMatchObject({ status: 503, body: expect.stringContaining('resume --local') });
  await ordered(web1, 'resume', '--local');
  await allServe(both, 'third');
  await allReady(both);
});

test('a rollback from the machine that did not build is for all, and so are its pause and its resume', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const { web2, both, first } = await onSecondRelease();
  await ordered(web2, 'rollback');
  expect(await allReady(both)).toBe(first);
  for (const one of both) {
    await until(async () => (await one.status()).watcher.paused, `${one.id} to be paused`);
  }
  await ordered(web2, 'resume');
  await allServe(both, 'second');
  await allReady(both);
});

test('maintenance from one machine is for all, a machine that comes takes part, one can go its own way, and a wiped store ends nothing', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const { nats, web1, web2, both } = await twoMachines();
  const seen = (one: Machine, status: number) =>
    until(async () => (await one.get()).status === status, `${one.id} to answer ${status}`);
  await ordered(web1, 'maintenance', 'on', '--message', 'At noon.', '--allow', '10.0.0.0/8');
  for (const one of both) await seen(one, 503);
  expect((await web2.get()).body).toContain('At noon.');
  expect((await web2.get('/.slots/ready')).status).toBe(200);

  // An edit goes live behind the page.
  await web2.edit('page.txt', 'mended');
  const editor = { 'X-Forwarded-For': '10.1.2.3' };
  const isMended = async () => (await web1.get('/', undefined, editor)).body === 'mended';
  await until(isMended, 'web1 to have the edit', 60_000);
  await allReady(both);
  const web3 = await machine('web3', nats.url);
  await ordered(web3, 'up');
  await seen(web3, 503);

  await ordered(web2, 'maintenance', 'off', '--local');
  await seen(web2, 200);
  expect((await web1.get()).status).toBe(503);
  await ordered(web2, 'maintenance', 'on');
  await seen(web2, 503);

  await nats.kill();
  await nats.wipe();
  await nats.start();
  await until(async () => (await web3.fleet()).connected, 'web3 to be connected again');
  const web4 = await machine('web4', nats.url);
  await ordered(web4, 'up');
  await seen(web4, 503);
  await ordered(web3, 'maintenance', 'off');
  for (const one of [web1, web2, web3, web4]) await seen(one, 200);
  expect((await web1.status()).maintenance).toBeUndefined();
});

test('without NATS what is for all is refused and says so, and --local does it', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const { nats, web1, web2, both } = await twoMachines(CACHED);
  const first = await allReady(both);
  await web1.edit('page.txt', 'second');
  await allServe(both, 'second');
  await allReady(both);
  await nats.kill();
  await until(async () => !(await web2.fleet()).connected, 'web2 to miss it');
  for (const command of ['purge', 'pause', 'rollback', 'resume', 'maintenance off']) {
    const { exitCode, stderr } = await web2.slots(...command.split(' '));
    expect({ command, exitCode }).toEqual({ command, exitCode: 1 });
    expect(stderr).toMatch(/the fleet cannot be reached: .+\n.*`--local`/);
  }
  expect((await web2.status()).watcher.paused).toBe(false);
  await ordered(web2, 'purge', '--local');
  await ordered(web2, 'pause', '--local');
  expect((await web2.status()).watcher.paused).toBe(true);
  await ordered(web2, 'rollback', '--local');
  expect((await web2.get()).release).toBe(first);
  await ordered(web2, 'resume', '--local');
  await nats.start();
  await allServe(both, 'second');
  await allReady(both);
});
