import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { clientPorts } from './faults/connections.ts';
import { freePorts } from './support/free-ports.ts';
import { signalProcess } from './support/processes.ts';
import { tempFolder } from './support/temp-folder.ts';
import { until } from './support/until.ts';

const PRELOAD = fileURLToPath(new URL('../src/daemon-preload.ts', import.meta.url));

const CLUSTER = `
import cluster from 'node:cluster';
import { existsSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';

if (cluster.isPrimary) {
  for (let worker = 0; worker < Number(process.argv[2]); worker++) cluster.fork();
  cluster.on('listening', ({ process }) => console.log(process.pid));
} else {
  const server = createServer((request, response) => response.end(String(process.pid)))
    .listen(Number(process.argv[3]), '127.0.0.1');
  // What it is handed while it is deaf it reads only when it no longer listens.
  process.on('SIGTERM', () => {
    writeSync(1, 'deaf\\n');
    const primary = process.ppid;
    while (!existsSync(process.argv[4]) && process.ppid === primary);
    server.close();
  });
}
`;

/** A cluster as PM2 runs one, whose workers answer with their pids. */
async function startCluster(workers: number) {
  const [port = 0] = await freePorts(1);
  const folder = await tempFolder();
  const script = join(folder, 'cluster.mjs');
  const closeNow = join(folder, 'close-now');
  await writeFile(script, CLUSTER);
  const args = [`--import=${PRELOAD}`, script, String(workers), String(port), closeNow];
  const primary: ChildProcess = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void primary.kill('SIGKILL'));
  let output = '';
  primary.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    output += piece;
  });
  const lines = () => output.split('\n').filter(Boolean);
  await until(() => lines().length === workers, 'all workers to listen');
  const pids = lines().map(Number);
  const beginLeaving = async (leaving: number[]) => {
    for (const pid of leaving) signalProcess(pid, 'SIGTERM');
    await until(() => lines().length === workers + leaving.length, 'the leaving to be deaf');
  };
  const leave = () => writeFile(closeNow, '');
  return { primary: primary.pid as number, port, pids, beginLeaving, leave };
}

function ask(port: number): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = get({ host: '127.0.0.1', port, agent: false, timeout: 3000 }, (answer) => {
      void text(answer).then(resolve);
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    outgoing.on('timeout', () => outgoing.destroy(new Error('hung')));
  });
}

/** Enough that each worker that is stopped has been handed one before it is killed. */
async function askAround(port: number, count: number) {
  const answers: string[] = [];
  const asked = Array.from({ length: count }, () =>
    ask(port).then((answer) => void answers.push(answer)),
  );
  return { answers, done: Promise.all(asked).then(() => answers) };
}

test('a connection that was being handed to a worker as it died goes to another one', async () => {
  const { port, pids } = await startCluster(2);
  const [victim = 0, survivor = 0] = pids;
  signalProcess(victim, 'SIGSTOP');
  const { answers, done } = await askAround(port, 6);
  await until(() => answers.length === 5, 'all answers but that of the stopped worker');
  signalProcess(victim, 'SIGKILL');
  expect(await done).toEqual(Array(6).fill(String(survivor)));
});

test('where no worker is left it is closed, and the next one is refused', async () => {
  const { primary, port, pids } = await startCluster(2);
  for (const pid of pids) signalProcess(pid, 'SIGSTOP');
  const { done } = await askAround(port, 4);
  await until(() => clientPorts(primary, port).size === 4, 'the primary to hold all four');
  for (const pid of pids) signalProcess(pid, 'SIGKILL');
  const answers = await done;
  expect(answers).not.toContain('hung');
  await until(async () => (await ask(port)) === 'ECONNREFUSED', 'the port to be closed');
});

test('where all workers have stopped listening it is closed, though they live on', async () => {
  const { primary, port, pids, beginLeaving, leave } = await startCluster(2);
  await beginLeaving(pids);
  const { done } = await askAround(port, 4);
  await until(() => clientPorts(primary, port).size === 4, 'the primary to hold all four');
  await leave();
  expect(await done).not.toContain('hung');
  expect(await ask(port)).toBe('ECONNREFUSED');
});

test('a connection that a worker declines goes to one that has not had any yet', async () => {
  const { primary, port, pids, beginLeaving, leave } = await startCluster(2);
  const [leaving = 0, other = 0] = pids;
  await beginLeaving([leaving]);
  // Until the connection is held, whichever of the two it was handed to.
  signalProcess(other, 'SIGSTOP');
  const { done } = await askAround(port, 1);
  await until(() => clientPorts(primary, port).size === 1, 'the primary to hold it');
  await leave();
  signalProcess(other, 'SIGCONT');
  expect(await done).toEqual([String(other)]);
});
