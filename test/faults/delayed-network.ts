import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { lacking } from '../support/needs.ts';

const run = promisify(execFile);
const LINK = fileURLToPath(new URL('delaying-link.py', import.meta.url));

export interface DelayedNetwork {
  /** Of its namespace, for `ip netns exec`. */
  name: string;
  /** This side of the link, as the other one sees it. */
  gateway: string;
}

export const delayedNetworkLacks = () => lacking('ip', 'python3');

/**
 * A network namespace at the other end of a link that delays each packet, either way; it goes with the test.
 *
 * @throws Error where the machine does not allow it, and says what
 */
export async function delayedNetwork(delayMs: number): Promise<DelayedNetwork> {
  const id = process.pid % 10_000;
  const name = `slots-d${id}`;
  const [here, there] = [`sd${id}a`, `sd${id}b`];
  const subnet = `10.214.${id % 250}`;
  await run('ip', ['netns', 'add', name]);
  onTestFinished(async () => void (await run('ip', ['netns', 'del', name])));
  await startLink(here, there, delayMs);
  await run('ip', ['link', 'set', there, 'netns', name]);
  await run('ip', ['addr', 'add', `${subnet}.1`, 'peer', `${subnet}.2`, 'dev', here]);
  await run('ip', ['link', 'set', here, 'up']);
  await run('ip', ['-n', name, 'addr', 'add', `${subnet}.2`, 'peer', `${subnet}.1`, 'dev', there]);
  await run('ip', ['-n', name, 'link', 'set', there, 'up']);
  return { name, gateway: `${subnet}.1` };
}

async function startLink(here: string, there: string, delayMs: number): Promise<void> {
  const link = spawn('python3', [LINK, here, there, String(delayMs)]);
  const ended = new Promise<void>((resolve) => link.once('close', resolve));
  onTestFinished(async () => {
    link.kill('SIGKILL');
    await ended;
  });
  let complaint = '';
  link.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const refused = ended.then(() => {
    throw new Error(complaint.trim().split('\n').at(-1));
  });
  await Promise.race([new Promise((resolve) => link.stdout.once('data', resolve)), refused]);
  refused.catch(() => {});
}
