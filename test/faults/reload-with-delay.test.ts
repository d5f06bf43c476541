/**
 * A reload of the proxy on a network on which handshakes take their time. The kernel resets a connection that is half way through
 * its handshake, or waits to be accepted, when the listening socket that it came to is closed; on loopback there hardly ever is one.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import type { LoadResult } from '../support/load.ts';
import { skipFor } from '../support/needs.ts';
import type { PlainSite } from '../support/plain-site.ts';
import { type DelayedNetwork, delayedNetwork, delayedNetworkLacks } from './delayed-network.ts';
import { expectNothingLeft, faultSite } from './fault-site.ts';
import { recordFault, times } from './table.ts';

const RELOADS = times(4, 20);
const DELAY_MS = 50;
const VISITORS_PER_SECOND = 200;

const CLIENT = fileURLToPath(new URL('fresh-visitors.ts', import.meta.url));
const PM2 = fileURLToPath(new URL('../../node_modules/.bin/pm2', import.meta.url));

/** Visitors from the other end of the link. */
async function startVisitors({ name, gateway }: DelayedNetwork, port: number) {
  const command = [process.execPath, CLIENT, `http://${gateway}:${port}`, `${VISITORS_PER_SECOND}`];
  const client = spawn('ip', ['netns', 'exec', name, ...command], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void client.kill('SIGKILL'));
  const lines = createInterface(client.stdout);
  const nextLine = async () => String((await once(lines, 'line'))[0]);
  const handshakeMs = Number(await nextLine());
  return {
    handshakeMs,
    async stop(): Promise<LoadResult> {
      client.stdin.end();
      return JSON.parse(await nextLine());
    },
  };
}

/** @returns how long it has taken, in milliseconds */
async function reloadProxy(site: PlainSite): Promise<number> {
  const begunAt = performance.now();
  const before = (await site.pids()).proxy;
  await promisify(execFile)(process.execPath, [PM2, 'reload', `${site.name}-proxy`], {
    env: site.env,
  });
  expect((await site.pids()).proxy.filter((pid) => before.includes(pid))).toEqual([]);
  return performance.now() - begunAt;
}

test(`resets no handshake on a network with ${DELAY_MS} ms of delay while the proxy is reloaded ${RELOADS} times`, async ({
  skip,
}) => {
  skipFor(skip, delayedNetworkLacks());
  const network = await delayedNetwork(DELAY_MS).catch((error: Error) => error.message);
  if (typeof network === 'string') return skip(`no network with a delay here: ${network}`);
  const site = await faultSite({ config: { host: '0.0.0.0', drainTimeoutMs: 2500 } });

  const visitors = await startVisitors(network, site.ports.proxy);
  expect(visitors.handshakeMs).toBeGreaterThanOrEqual(2 * DELAY_MS);
  const begunAt = performance.now();
  const recoveryMs: number[] = [];
  while (recoveryMs.length < RELOADS) recoveryMs.push(await reloadProxy(site));
  const seconds = (performance.now() - begunAt) / 1000;
  const { requests, failed, failures } = await visitors.stop();

  recordFault({
    row: 2,
    fault: `reload the proxy, ${DELAY_MS} ms away`,
    injected: RELOADS,
    requests,
    failed,
    editsLost: 0,
    recoveryMs,
  });
  expect(failures).toEqual([]);
  expect(failed).toBe(0);
  expect(requests).toBeGreaterThan(0.9 * VISITORS_PER_SECOND * seconds);
  await expectNothingLeft(site);
}, 600_000);
