import { expect, test } from 'vitest';
import type { FailedRequest } from '../support/load/context.ts';
import { startLoad } from '../support/load.ts';
import type { PlainSite } from '../support/plain-site.ts';
import { signalProcess } from '../support/processes.ts';
import { until } from '../support/until.ts';
import { clientPorts } from './connections.ts';
import {
  editOf,
  expectNothingLeft,
  faultSite,
  LOAD,
  pageOf,
  RECOVERY_TIMEOUT_MS,
  untilLive,
} from './fault-site.ts';
import { recordFault, times } from './table.ts';

const KILLS = times(3, 50);

interface Kill {
  pid: number;
  ports: Set<number>;
  at: number;
}

/** Stops it first, so that what it holds does not change between the look and the kill. */
function kill(pid: number, port: number): Kill {
  signalProcess(pid, 'SIGSTOP');
  const ports = clientPorts(pid, port);
  signalProcess(pid, 'SIGKILL');
  return { pid, ports, at: performance.now() };
}

async function untilReplaced(site: PlainSite, pid: number): Promise<void> {
  await until(
    async () => {
      const { workers } = (await site.status()).proxy;
      return workers.length === 2 && workers.every((worker) => worker.pid !== pid);
    },
    'the new worker to join the controller',
    RECOVERY_TIMEOUT_MS,
  );
}

test(`fails only what was open on a proxy worker, killed ${KILLS} times`, async () => {
  const site = await faultSite();
  const failed: FailedRequest[] = [];
  let oldest = 0;
  const load = startLoad(site.origin, {
    ...LOAD,
    slow: 2,
    slowPath: '/api/slow?ms=300',
    pauseMs: 3,
    complain: (_path, { body }) => (editOf(body) >= oldest ? null : `an old page: ${body}`),
    onFailed: (request) => failed.push(request),
  });
  const kills: Kill[] = [];
  const recoveryMs: number[] = [];
  let edit = 1;
  for (let count = 0; count < KILLS; count++) {
    const { workers } = (await site.status()).proxy;
    // Every third one dies during a promotion, the others at rest.
    if (count % 3 === 1) await site.edit('page.txt', pageOf(++edit));
    const victim = kill(workers[count % 2]?.pid as number, site.ports.proxy);
    kills.push(victim);
    await untilReplaced(site, victim.pid);
    recoveryMs.push(performance.now() - victim.at);
    await untilLive(site, edit);
    oldest = edit - 1;
  }
  const result = await load.stop();
  const isExcused = ({ port }: FailedRequest) =>
    port !== null && kills.some(({ ports }) => ports.has(port));
  const unexcused = failed.filter((request) => !isExcused(request));
  recordFault({
    row: 2,
    fault: 'kill -9 a proxy worker',
    injected: KILLS,
    requests: result.requests,
    failed: result.failed,
    allowed: failed.length - unexcused.length,
    editsLost: 0,
    recoveryMs,
  });
  expect(unexcused).toEqual([]);
  expect(result.failed, result.failures.join('\n')).toBe(failed.length);
  // One connection, and so one request, of each client at most.
  expect(failed.length).toBeLessThanOrEqual(KILLS * 11);
  await expectNothingLeft(site);
});
