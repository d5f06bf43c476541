/** Row 10: visitors on bad networks through a flip. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { otherSlot } from '../../../src/slots/slot.ts';
import { readMemory } from '../../support/memory.ts';
import { lacking, skipFor } from '../../support/needs.ts';
import type { PlainSite } from '../../support/plain-site.ts';
import { until } from '../../support/until.ts';
import { faultSite, pageOf } from '../fault-site.ts';
import { longTest } from '../long-test.ts';
import { recordFault } from '../table.ts';

const run = promisify(execFile);
const MEBIBYTE = 1024 * 1024;
const DRAIN_MS = 2000;
const CLIENT = fileURLToPath(new URL('../vanishing-client.mjs', import.meta.url));

/** A flip with these visitors on the old slot: it takes the drain's limit, no more, and leaves nothing behind. */
async function expectDrained(
  site: PlainSite,
  fault: string,
  open: number,
  edit = 2,
): Promise<void> {
  const { active: old } = await site.status();
  const inflight = async () => (await site.status()).slots[old].inflight;
  await until(async () => (await inflight()) >= open, `${open} requests to be open`);
  const instances = (await site.pids())[old];
  await site.edit('page.txt', pageOf(edit));
  await until(async () => (await site.get()).body === pageOf(edit), 'the flip', 30_000);
  const { last, active } = await site.settled(60_000);
  expect(last).toMatchObject({ outcome: 'promoted', error: null });
  const { drain = 0 } = last?.durationsMs ?? {};
  recordFault({
    row: 10,
    fault,
    injected: open,
    requests: 0,
    failed: 0,
    editsLost: 0,
    recoveryMs: [drain],
  });
  expect(active).toBe(otherSlot(old));
  expect(drain).toBeGreaterThanOrEqual(DRAIN_MS);
  // What is cut has a moment to get its last bytes out, and then it is gone.
  expect(drain).toBeLessThan(DRAIN_MS + 3000);
  expect((await site.pids())[old].filter((pid) => instances.includes(pid))).toEqual([]);
  await until(async () => (await inflight()) === 0, 'nothing to be open');
}

async function proxyMemory(site: PlainSite): Promise<number> {
  const { proxy } = await site.pids();
  return proxy.reduce((sum, pid) => sum + readMemory(pid).bytes, 0);
}

function open(site: PlainSite, request: string): Socket {
  const socket = connect({ port: site.ports.proxy, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  socket.pause();
  socket.write(request);
  return socket;
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

/** So many of each kind; the last closes its half at once, and Node takes such a visitor for gone. */
function openBadVisitors(site: PlainSite, each: number): void {
  for (let client = 0; client < each; client++) {
    const slow = open(site, get('/api/download?bytes=50000000'));
    const timer = setInterval(() => slow.read(1), 1000);
    slow.on('close', () => clearInterval(timer));
    open(site, get('/api/clock?ms=5'));
    open(site, 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n');
    open(site, get('/api/slow?ms=100000')).end();
  }
}

longTest(
  'visitors who read a byte a second, or nothing, are cut at the limit, and memory is given back',
  async () => {
    const site = await faultSite({ config: { drainTimeoutMs: DRAIN_MS } });
    const memory: number[] = [];
    for (let edit = 2; edit < 6; edit++) {
      openBadVisitors(site, 40);
      await expectDrained(site, 'visitors who read a byte a second, or nothing', 120, edit);
      memory.push(await proxyMemory(site));
    }
    // What the first ones made the heap grow to is enough for those that come after.
    const [, second = 0, , last = 0] = memory;
    expect(last - second).toBeLessThan(40 * MEBIBYTE);
  },
  120_000,
);

test('visitors who vanish without a FIN are cut at the limit', async ({ skip }) => {
  skipFor(skip, lacking('ip', 'ss'));
  const net = await networkOfItsOwn().catch((error: Error) => error.message);
  if (typeof net === 'string') return skip(`no network of its own here: ${net}`);
  // Connections whose answer is complete wait for a next request, and are closed by this limit.
  const proxy = { keepAliveTimeoutMs: 3000 };
  const site = await faultSite({ config: { drainTimeoutMs: DRAIN_MS, host: '0.0.0.0', proxy } });
  const each = 10;
  const client = spawn(
    'ip',
    [
      ...['netns', 'exec', net.name, process.execPath, CLIENT],
      ...[net.gateway, String(site.ports.proxy), String(each)],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(() => void client.kill('SIGKILL'));
  await once(client.stdout, 'data');
  const { stdout } = await run('ss', ['-Htno', `sport = :${site.ports.proxy}`]);
  // A connection on which nothing happens is asked about after a minute, so it cannot stay for ever.
  expect(stdout).toMatch(/timer:\(keepalive,/);

  // From here on no packet comes or goes.
  await run('ip', ['link', 'set', net.link, 'down']);
  await expectDrained(site, 'visitors who vanish without a FIN', 5 * each);
  await until(
    async () => {
      const left = await run('ss', ['-Htn', 'state', 'established', `dst = ${net.address}`]);
      return left.stdout.trim() === '';
    },
    'their connections to be gone',
    30_000,
  );
}, 120_000);

/** A network namespace with one link to here, which goes with the test. */
async function networkOfItsOwn() {
  const id = process.pid % 10_000;
  const name = `slots-${id}`;
  const link = `sl${id}`;
  const subnet = `10.213.${id % 250}`;
  await run('ip', ['netns', 'add', name]);
  onTestFinished(async () => {
    await run('ip', ['link', 'del', link]).catch(() => {});
    await run('ip', ['netns', 'del', name]);
  });
  await run('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name]);
  await run('ip', ['addr', 'add', `${subnet}.1/24`, 'dev', link]);
  await run('ip', ['link', 'set', link, 'up']);
  await run('ip', ['-n', name, 'addr', 'add', `${subnet}.2/24`, 'dev', 'eth0']);
  await run('ip', ['-n', name, 'link', 'set', 'eth0', 'up']);
  return { name, link, gateway: `${subnet}.1`, address: `${subnet}.2` };
}
