import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { signalProcess } from './support/processes.ts';
import { tempFolder } from './support/temp-folder.ts';
import { until } from './support/until.ts';

const MODULE = fileURLToPath(new URL('../src/outlive-daemon.ts', import.meta.url));

const PRIMARY = `
import cluster from 'node:cluster';
cluster.setupPrimary({ exec: process.argv[1], execArgv: [] });
const worker = cluster.fork();
worker.on('message', (port) => console.log(JSON.stringify({ pid: worker.process.pid, port })));
`;

/** Like PM2's container of a cluster process, sends a copy of what is printed to the daemon. */
const WORKER = `
import { createServer } from 'node:http';
const { outliveDaemon } = await import(${JSON.stringify(MODULE)});
let orphaned = 0;
process.stdout.write = (data) => process.send({ type: 'log:out', data });
outliveDaemon(() => orphaned++);
const server = createServer((_request, response) => {
  console.log('asked');
  response.end(String(orphaned));
});
server.listen({ port: 0, host: '127.0.0.1', exclusive: true }, () => process.send(server.address().port));
`;

async function startWorker(env: NodeJS.ProcessEnv = {}) {
  const file = join(await tempFolder(), 'worker.mjs');
  await writeFile(file, WORKER);
  const args = ['--input-type=module', '--eval', PRIMARY, file];
  const primary = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, ...env },
  });
  const [line] = await once(primary.stdout.setEncoding('utf8'), 'data');
  const { pid, port } = JSON.parse(line) as { pid: number; port: number };
  onTestFinished(() => {
    primary.kill('SIGKILL');
    signalProcess(pid, 'SIGKILL');
  });
  const ask = () =>
    new Promise<string>((resolve, reject) => {
      get({ host: '127.0.0.1', port, agent: false }, (answer) => {
        text(answer).then(resolve, reject);
      }).on('error', reject);
    });
  return { primary, ask };
}

test('a process serves on, and may print, when the daemon that started it is killed', async () => {
  const { primary, ask } = await startWorker();
  expect(await ask()).toBe('0');
  primary.kill('SIGKILL');
  await until(async () => (await ask()) === '1', 'the process to notice');
  expect([await ask(), await ask()]).toEqual(['1', '1']);
});

test('a process ends with a daemon in the foreground, which is the main process of a container', async () => {
  const { primary, ask } = await startWorker({ PM2_DISCRETE_MODE: 'true' });
  expect(await ask()).toBe('0');
  primary.kill('SIGKILL');
  await until(
    () =>
      ask().then(
        () => false,
        () => true,
      ),
    'the process to end',
  );
});
