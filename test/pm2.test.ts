import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { processesWith, signalProcess } from './support/processes.ts';
import { tempFolder } from './support/temp-folder.ts';
import { until } from './support/until.ts';

const MODULE = fileURLToPath(new URL('../src/pm2.ts', import.meta.url));
const PM2 = fileURLToPath(new URL('../node_modules/pm2/bin/pm2', import.meta.url));

const CONNECT = `
const { connectPm2 } = await import(${JSON.stringify(MODULE)});
const pm2 = await connectPm2();
console.log((await pm2.all()).size);
pm2.disconnect();
process.exit();
`;

/** A `PM2_HOME` whose processes end with the test. */
async function pm2Home(): Promise<string> {
  // Short, because PM2's sockets lie in it and a socket's path is cut at about 107 bytes.
  const home = await tempFolder('s-');
  onTestFinished(async () => {
    for (const { pid } of await processesWith([home])) signalProcess(pid, 'SIGKILL');
    await until(async () => (await processesWith([home])).length === 0, 'the daemon to end');
  });
  return home;
}

async function run(home: string, ...args: string[]): Promise<string> {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, PM2_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, error, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  expect(exitCode, error).toBe(0);
  return out;
}

async function daemons(home: string): Promise<number[]> {
  const all = await processesWith([home]);
  return all.filter(({ command }) => command.includes('God Daemon')).map(({ pid }) => pid);
}

const connect = (home: string) => run(home, '--input-type=module', '--eval', CONNECT);

test('of several that find no PM2 daemon at the same time only one starts it, and all reach it', async () => {
  const home = await pm2Home();
  const answers = await Promise.all([1, 2, 3, 4].map(() => connect(home)));
  expect(answers.map((answer) => answer.trim().split('\n').at(-1))).toEqual(['0', '0', '0', '0']);
  const pid = Number(await readFile(join(home, 'pm2.pid'), 'utf8'));
  expect(await daemons(home)).toEqual([pid]);
});

test('no second PM2 daemon is started while PM2 itself starts one after the first was killed', async () => {
  const home = await pm2Home();
  await connect(home);
  const [first = 0] = await daemons(home);
  signalProcess(first, 'SIGKILL');
  await until(async () => (await daemons(home)).length === 0, 'the daemon to end');
  const theirs = run(home, PM2, 'startOrReload', '/nowhere.json').catch(() => '');
  await until(async () => {
    const all = await processesWith([home]);
    return all.some(({ command }) => command.includes('startOrReload'));
  }, "PM2's own command to run");
  await connect(home);
  await theirs;
  expect(await daemons(home)).toHaveLength(1);
});
