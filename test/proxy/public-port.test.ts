import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { freePorts } from '../support/free-ports.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const MODULE = new URL('../../src/proxy/public-port.ts', import.meta.url).href;

const WORKER = `
import { createServer } from 'node:http';
const { listenShared, sharePort } = await import(${JSON.stringify(MODULE)});
const [port, n, run] = process.argv.slice(2);
const server = createServer((request, response) => response.end(String(process.pid)));
await listenShared(server, { name: 'proxy', port: Number(port), host: '127.0.0.1' }, run);
const place = await sharePort(server, 'proxy', Number(n), run);
process.on('SIGTERM', () => { place.leave(); server.close(() => process.exit()); });
console.log('serves');
`;

async function setUp() {
  const [port = 0] = await freePorts(1);
  const folder = await tempFolder();
  const script = join(folder, 'worker.mjs');
  await writeFile(script, WORKER);
  const start = async (n: number): Promise<ChildProcess> => {
    const args = [script, String(port), String(n), join(folder, 'run')];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const said = await Promise.race([once(child.stdout as never, 'data'), once(child, 'exit')]);
    expect(String(said[0])).toBe('serves\n');
    return child;
  };
  return { port, start };
}

function ask(port: number, onConnect = () => {}): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = get({ host: '127.0.0.1', port, agent: false, timeout: 3000 }, (answer) => {
      void text(answer).then(resolve);
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    outgoing.on('socket', (socket) => socket.once('connect', onConnect));
    outgoing.on('timeout', () => outgoing.destroy(new Error('hung')));
  });
}

function askOften(port: number, count: number, onConnect?: () => void): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, () => ask(port, onConnect)));
}

async function endWith(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

test('workers that start at once share one port', async () => {
  const { port, start } = await setUp();
  const workers = await Promise.all([start(0), start(1), start(2)]);
  const pids = workers.map(({ pid }) => String(pid));
  for (const answer of await askOften(port, 60)) expect(pids).toContain(answer);
});

test('connections that wait in the queue of a worker that is killed are answered by another', async () => {
  const { port, start } = await setUp();
  const [first, second] = [await start(0), await start(1)];
  for (const worker of [first, second]) worker.kill('SIGSTOP');
  const connected: unknown[] = [];
  const asked = askOften(port, 40, () => connected.push(null));
  await until(() => connected.length === 40, 'all of them to be in the queue');
  await endWith(first, 'SIGKILL');
  second.kill('SIGCONT');
  expect(new Set(await asked)).toEqual(new Set([String(second.pid)]));
});

test('no connection fails while workers replace each other, one after the other', async () => {
  const { port, start } = await setUp();
  let current = await start(0);
  const answers: string[] = [];
  let isOver = false;
  const load = Array.from({ length: 8 }, async () => {
    while (!isOver) answers.push(await ask(port));
  });
  for (let n = 0; n < 5; n++) {
    const next = await start(0);
    await endWith(current, 'SIGTERM');
    current = next;
  }
  isOver = true;
  await Promise.all(load);
  expect(answers.filter((answer) => !/^\d+$/.test(answer))).toEqual([]);
});

test('a port that another program has is not to be had', async () => {
  const { port } = await setUp();
  const { listenShared } = await import('../../src/proxy/public-port.ts');
  const other = createServer().listen(port, '127.0.0.1');
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  const wanted = { name: 'proxy', port, host: '127.0.0.1' };
  const attempt = listenShared(createServer(), wanted, join(await tempFolder(), 'run'), 200);
  await expect(attempt).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
