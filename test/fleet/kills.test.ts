import { expect, test } from 'vitest';
import type { Stage } from '../../src/slots/state.ts';
import { allReady, allServe, type Machine, twoMachines } from '../support/fleet.ts';
import { startLoad } from '../support/load.ts';
import { lacking, skipFor } from '../support/needs.ts';
import { PLAIN_PATHS } from '../support/plain-site.ts';
import { signalProcess } from '../support/processes.ts';
import { until } from '../support/until.ts';

const lacks = lacking('nats-server');
const STAGES: Stage[] = ['build', 'start', 'check', 'flip', 'drain'];

/** Signals the machine's controller as soon as it is at this stage, or has passed it. */
async function signalAt(site: Machine, stage: Stage, signal: NodeJS.Signals): Promise<number> {
  const [pid = 0] = (await site.pids()).watcher;
  const before = (await site.status()).last?.id;
  await until(async () => {
    const { promotion, last } = await site.status();
    return promotion?.stage === stage || last?.id !== before;
  }, `${site.id} to ${stage}`);
  signalProcess(pid, signal);
  return pid;
}

test('whichever controller is killed or stopped, at whichever stage: no request fails, no edit is lost, and all serve one release', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const { web1, web2, both } = await twoMachines();
  const options = { paths: PLAIN_PATHS, keepAlive: 2, fresh: 1, slow: 0 };
  const loads = both.map(({ origin }) => startLoad(origin, options));
  let n = 0;
  for (const stage of STAGES) {
    for (const victim of both) {
      // A member does not build.
      if (victim === web2 && stage === 'build') continue;
      const text = `edit ${++n}: ${victim.id} killed in ${stage}`;
      const killed = signalAt(victim, stage, 'SIGKILL');
      await web1.edit('page.txt', text);
      await killed;
      await allServe(both, text);
      await allReady(both);
    }
  }
  for (const victim of both) {
    const text = `edit ${++n}: ${victim.id} stopped`;
    const stopped = signalAt(victim, 'start', 'SIGSTOP');
    await web1.edit('page.txt', text);
    const pid = await stopped;
    const other = victim === web1 ? web2 : web1;
    await until(
      async () =>
        (await other.fleet()).machines.some(({ id, online }) => id === victim.id && !online),
      `${other.id} to find ${victim.id} silent`,
    );
    signalProcess(pid, 'SIGCONT');
    await allServe(both, text);
    await allReady(both);
  }
  for (const load of loads) {
    const { failures, failed } = await load.stop();
    expect(failures).toEqual([]);
    expect(failed).toBe(0);
  }
}, 600_000);

test('NATS is killed while machines prepare: all serve one release in the end, and it is the edit', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const { nats, web1, both } = await twoMachines();
  for (const [stage, wiped] of [
    ['start', false],
    ['check', true],
  ] as const) {
    const text = `NATS killed in ${stage}`;
    await web1.edit('page.txt', text);
    await until(async () => (await web1.status()).promotion?.stage === stage, stage);
    await nats.kill();
    if (wiped) await nats.wipe();
    await until(async () => !(await web1.fleet()).connected, 'web1 to miss it');
    await nats.start();
    await allServe(both, text);
    await allReady(both);
  }
});
