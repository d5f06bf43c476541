import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const FINISH = fileURLToPath(new URL('../../src/instance/finish.ts', import.meta.url));

const INSTANCE = `
import { createServer } from 'node:http';
import { Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
const { finishOnSignal } = await import(${JSON.stringify(FINISH)});
const isLost = process.argv[1].startsWith('lost');
finishOnSignal({ isActive: () => {
  process.send('told');
  return process.argv[1] === 'active';
}, drainTimeoutMs: isLost ? 100 : 30000, isLost: () => {
  if (isLost) process.send('told');
  return isLost;
}, leave: () => Server.prototype.close.call(server) });
const server = createServer(async (request, response) => {
  if (request.url === '/slow') {
    process.send('asked');
    await delay(500);
  }
  response.end('answer');
}).listen(0, '127.0.0.1', () => process.send(server.address().port));
if (process.argv[2] === 'closes') {
  // PM2 listens too, which keeps the channel open.
  process.on('message', () => {});
  process.once('SIGINT', () => server.close());
}
`;

/** A process of a slot, with a visitor's connection that is open. */
async function startInstance(slot: 'active' | 'standby' | 'lost', site = '') {
  const args = ['--input-type=module', '--eval', INSTANCE, slot, site];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit').then(([code]) => code);
  const [port] = await once(child, 'message');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const ask = (path: string) =>
    new Promise<string>((resolve, reject) => {
      get({ host: '127.0.0.1', port, path, agent }, (answer) => {
        text(answer).then(resolve, reject);
      }).on('error', reject);
    });
  expect(await ask('/')).toBe('answer');
  const stop = async () => {
    const told = once(child, 'message');
    child.kill('SIGINT');
    await told;
  };
  return { child, agent, ask, stop, ended };
}

test('a process of the active slot answers its visitors until they have gone', async () => {
  const { agent, ask, stop, ended } = await startInstance('active');
  await stop();
  expect(await ask('/')).toBe('answer');
  agent.destroy();
  expect(await ended).toBe(0);
});

test('a process of the active slot does not wait for ever for who says nothing more', async () => {
  const { stop, ended } = await startInstance('active');
  await stop();
  expect(await ended).toBe(0);
});

test('a process of another slot ends at once, whoever is connected', async () => {
  const active = await startInstance('active');
  const standby = await startInstance('standby');
  await active.stop();
  await standby.stop();
  const first = await Promise.race([
    standby.ended.then(() => 'standby'),
    active.ended.then(() => 'active'),
  ]);
  expect(first).toBe('standby');
});

test('a process of another slot finishes the answer that is under way', async () => {
  const { child, ask, stop, ended } = await startInstance('standby');
  const asked = once(child, 'message');
  const answer = ask('/slow');
  await asked;
  await stop();
  expect(await answer).toBe('answer');
  expect(await ended).toBe(0);
});

test('a site that closes its server at the signal, and leaves the rest to Node, ends by itself', async () => {
  const { stop, ended } = await startInstance('active', 'closes');
  await stop();
  // A process that is killed at the limit has no code.
  expect(await ended).toBe(0);
});

test('a process that PM2 has lost stays for workers that leave later than it does', async () => {
  const { agent, ask, stop, ended } = await startInstance('lost');
  await stop();
  // Longer than its drain and what a process that PM2 stops has.
  const outcome = await Promise.race([ended.then(() => 'ended'), delay(4000, 'stays')]);
  expect(outcome).toBe('stays');
  expect(await ask('/')).toBe('answer');
  agent.destroy();
  expect(await ended).toBe(0);
});
