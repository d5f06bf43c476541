import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createWorkers } from '../../../src/controller/workers/fleet.ts';
import { collectedLog } from '../../support/collected-log.ts';
import { isRunning } from '../../support/is-running.ts';
import { testAssignment } from '../../support/test-assignment.ts';
import { until } from '../../support/until.ts';
import { testProcesses } from '../../support/worker-processes.ts';

const PATIENCE = { ackMs: 300, startMs: 600, assignMs: 3000 };

const ACK = { type: 'ack', epoch: 5, revision: 0 } as const;

function endOf(pid: number): Promise<boolean> {
  return until(async () => !(await isRunning(pid)), `the end of ${pid}`);
}

/** Workers whose processes PM2 replaces by ones that acknowledge, or that are as silent. */
function setUp(replacement: 'acknowledges' | 'is silent', patience = PATIENCE) {
  const { log, events } = collectedLog();
  const replaced: number[] = [];
  const processes = testProcesses((pid) => {
    replaced.push(pid);
    if (replacement === 'acknowledges') workers.join(pid, () => {}).receive(ACK);
  });
  const workers = createWorkers(processes, log, patience);
  const ended = () => events('worker.silent').map(({ worker, signal }) => [worker, signal]);
  return { workers, processes, replaced, ended };
}

/** Each of these waits for the controller's patience to end, so they wait together. */
describe.concurrent('a worker that does not acknowledge', () => {
  test('is asked to end, and the one in its place is waited for', async ({ onTestFinished }) => {
    const { workers, processes, replaced, ended } = setUp('acknowledges');
    onTestFinished(() => processes.endAll());
    const good = workers.join(processes.start(), () => {});
    const silent = processes.start();
    const started = performance.now();
    const link = workers.join(silent, () => {});
    const assigned = workers.assign(testAssignment(5));
    good.receive(ACK);
    await endOf(silent);
    expect(performance.now() - started).toBeGreaterThanOrEqual(PATIENCE.ackMs - 1);
    link.leave();
    await assigned;
    expect(replaced).toHaveLength(1);
    expect(ended()).toEqual([[silent, 'SIGINT']]);
  });

  test('is killed when it does not hear that either', async ({ onTestFinished }) => {
    const { workers, processes, ended } = setUp('acknowledges');
    onTestFinished(() => processes.endAll());
    const deaf = await processes.startDeaf();
    const link = workers.join(deaf, () => {});
    const assigned = workers.assign(testAssignment(5));
    await endOf(deaf);
    link.leave();
    await assigned;
    expect(ended()).toEqual([
      [deaf, 'SIGINT'],
      [deaf, 'SIGKILL'],
    ]);
  });

  test('is ended though PM2 does not know it any more', async ({ onTestFinished }) => {
    const { workers, processes, replaced } = setUp('is silent');
    onTestFinished(() => processes.endAll());
    const pid = processes.start();
    processes.forget(pid);
    const link = workers.join(pid, () => {});
    const assigned = workers.assign(testAssignment(5));
    await endOf(pid);
    link.leave();
    await assigned;
    expect(replaced).toEqual([]);
  });

  test('is ended once for two assignments that wait for it', async ({ onTestFinished }) => {
    const { workers, processes, ended } = setUp('acknowledges');
    onTestFinished(() => processes.endAll());
    const silent = processes.start();
    const link = workers.join(silent, () => {});
    const both = [workers.assign(testAssignment(4)), workers.assign(testAssignment(5))];
    await endOf(silent);
    link.leave();
    await Promise.all(both);
    expect(ended()).toEqual([[silent, 'SIGINT']]);
  });

  test('is given the time to start before it has ever connected', async ({ onTestFinished }) => {
    const patience = { ackMs: 50, startMs: 20_000, assignMs: 30_000 };
    const { workers, processes, ended } = setUp('acknowledges', patience);
    onTestFinished(() => processes.endAll());
    const [slow, silent] = [processes.start(), processes.start()];
    const link = workers.join(silent, () => {});
    const assigned = workers.assign(testAssignment(5));
    // By then the patience with those that have connected has ended.
    await endOf(silent);
    link.leave();
    workers.join(slow, () => {}).receive(ACK);
    await assigned;
    expect(ended()).toEqual([[silent, 'SIGINT']]);
  });

  test('has its own time from when it connects', async ({ onTestFinished }) => {
    const patience = { ackMs: 3000, startMs: 20_000, assignMs: 30_000 };
    const { workers, processes, ended } = setUp('acknowledges', patience);
    onTestFinished(() => processes.endAll());
    const [late, silent] = [processes.start(), processes.start()];
    const first = workers.join(silent, () => {});
    const assigned = workers.assign(testAssignment(5));
    // Late, so that nearly all of its own time is left when the other one's has ended.
    await delay(patience.ackMs * 0.9);
    const link = workers.join(late, () => {});
    await endOf(silent);
    first.leave();
    link.receive(ACK);
    await assigned;
    expect(ended()).toEqual([[silent, 'SIGINT']]);
  });

  test('is ended when it does not connect in that time', async ({ onTestFinished }) => {
    const { workers, processes, ended } = setUp('acknowledges');
    onTestFinished(() => processes.endAll());
    const started = performance.now();
    const hanging = processes.start();
    await workers.assign(testAssignment(5));
    expect(performance.now() - started).toBeGreaterThanOrEqual(PATIENCE.startMs - 1);
    expect(ended()).toEqual([[hanging, 'SIGINT']]);
  });

  test('is named in the error when no other does', async ({ onTestFinished }) => {
    const { workers, processes, replaced } = setUp('is silent');
    onTestFinished(() => processes.endAll());
    processes.start();
    await expect(workers.assign(testAssignment(5))).rejects.toMatchObject({
      code: 'WORKERS_SILENT',
      message: expect.stringMatching(/^proxy workers \d+ did not acknowledge the flip$/),
    });
    expect(replaced.length).toBeGreaterThan(1);
  });
});
