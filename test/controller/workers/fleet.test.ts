import { expect, onTestFinished, test } from 'vitest';
import { createWorkers, type Workers } from '../../../src/controller/workers/fleet.ts';
import { instantNow } from '../../../src/wire/instant.ts';
import type { ToWorker } from '../../../src/wire/messages.ts';
import { collectedLog } from '../../support/collected-log.ts';
import { isAlive } from '../../support/processes.ts';
import { testAssignment, testReport } from '../../support/test-assignment.ts';
import { until } from '../../support/until.ts';
import { type TestProcesses, testProcesses } from '../../support/worker-processes.ts';

function setUp() {
  const processes = testProcesses();
  onTestFinished(() => processes.endAll());
  const ahead: number[] = [];
  const workers = createWorkers(processes, collectedLog().log);
  workers.onAhead((epoch) => ahead.push(epoch));
  return { workers, processes, ahead };
}

/** A connected worker that notes what it is sent and acknowledges only when told to. */
function connect(workers: Workers, pid: number) {
  const sent: ToWorker[] = [];
  const link = workers.join(pid, (message) => sent.push(message));
  const ack = (epoch: number, revision = 0) => link.receive({ type: 'ack', epoch, revision });
  const report = (blue: number, green: number) => link.receive(testReport({ blue, green }));
  return { pid, sent, ack, report, leave: link.leave };
}

/** Whether a promise is open still after the controller has looked at its workers again. */
async function isOpen(promise: Promise<unknown>, processes: TestProcesses): Promise<boolean> {
  let open = true;
  const close = () => {
    open = false;
  };
  promise.then(close, close);
  const before = processes.looks();
  await until(() => !open || processes.looks() > before + 1, 'another look');
  return open;
}

test('a worker that connects is sent nothing while there is no assignment yet', () => {
  const { workers, processes } = setUp();
  expect(connect(workers, processes.start()).sent).toEqual([]);
});

test('a worker that connects is sent the current assignment at once', async () => {
  const { workers, processes } = setUp();
  await workers.assign(testAssignment(4));
  const worker = connect(workers, processes.start());
  expect(worker.sent).toEqual([{ type: 'assignment', assignment: testAssignment(4) }]);
});

test('a worker that connects and routes by a later epoch makes that known', async () => {
  const { workers, processes, ahead } = setUp();
  await workers.assign(testAssignment(4));
  const worker = connect(workers, processes.start());
  worker.ack(4);
  expect(ahead).toEqual([]);
  worker.ack(9);
  expect(ahead).toEqual([9]);
});

test('assign has nobody to wait for when there are no workers', async () => {
  await setUp().workers.assign(testAssignment(1));
});

test('assign resolves when every worker has acknowledged, and not before', async () => {
  const { workers, processes } = setUp();
  const [one, two] = [connect(workers, processes.start()), connect(workers, processes.start())];
  const assigned = workers.assign(testAssignment(1));
  for (const { sent } of [one, two]) {
    expect(sent).toEqual([{ type: 'assignment', assignment: testAssignment(1) }]);
  }
  one.ack(1);
  expect(await isOpen(assigned, processes)).toBe(true);
  two.ack(1);
  await assigned;
});

test('assign takes no acknowledgement of an older epoch or another revision', async () => {
  const { workers, processes } = setUp();
  const worker = connect(workers, processes.start());
  const assigned = workers.assign(testAssignment(2, 7));
  worker.ack(1, 7);
  expect(await isOpen(assigned, processes)).toBe(true);
  worker.ack(2, 6);
  expect(await isOpen(assigned, processes)).toBe(true);
  worker.ack(2, 7);
  await assigned;
});

test('assign waits for a process of the proxy that has not connected yet', async () => {
  const { workers, processes } = setUp();
  const pid = processes.start();
  const assigned = workers.assign(testAssignment(1));
  expect(await isOpen(assigned, processes)).toBe(true);
  connect(workers, pid).ack(1);
  await assigned;
});

test('assign waits for a worker whose connection broke, until it is back or dead', async () => {
  const { workers, processes } = setUp();
  const [back, dead] = [processes.start(), processes.start()];
  for (const pid of [back, dead]) {
    connect(workers, pid).leave();
    processes.forget(pid);
  }
  const assigned = workers.assign(testAssignment(1));
  connect(workers, back).ack(1);
  expect(await isOpen(assigned, processes)).toBe(true);
  await processes.end(dead);
  await assigned;
});

test('assign that is overtaken by another resolves when the other is acknowledged', async () => {
  const { workers, processes } = setUp();
  const worker = connect(workers, processes.start());
  const first = workers.assign(testAssignment(1));
  const second = workers.assign(testAssignment(2));
  expect(await isOpen(first, processes)).toBe(true);
  worker.ack(2);
  await Promise.all([first, second]);
});

test('what workers report adds up to the requests in flight on each slot', () => {
  const { workers, processes } = setUp();
  expect(workers.inflight('blue')).toBe(0);
  const [one, two] = [connect(workers, processes.start()), connect(workers, processes.start())];
  one.report(2, 0);
  two.report(3, 1);
  expect([workers.inflight('blue'), workers.inflight('green')]).toEqual([5, 1]);
});

test('what workers report is unknown until each has counted after its last acknowledgement', () => {
  const { workers, processes } = setUp();
  const [one, two] = [connect(workers, processes.start()), connect(workers, processes.start())];
  one.report(0, 0);
  expect(workers.inflight('blue')).toBeNull();
  two.report(0, 0);
  expect(workers.inflight('blue')).toBe(0);
  one.ack(1);
  expect(workers.inflight('blue')).toBeNull();
  one.report(0, 0);
  expect(workers.inflight('blue')).toBe(0);
});

test('what workers report is unknown while a worker without a connection is alive', async () => {
  const { workers, processes } = setUp();
  const worker = connect(workers, processes.start());
  worker.report(1, 0);
  worker.leave();
  expect(workers.inflight('blue')).toBeNull();
  await processes.end(worker.pid);
  expect(workers.inflight('blue')).toBe(0);
});

test('what workers report is known again when a worker that lost its connection is back', () => {
  const { workers, processes } = setUp();
  const pid = processes.start();
  connect(workers, pid).leave();
  connect(workers, pid).report(2, 0);
  expect(workers.inflight('blue')).toBe(2);
});

test('what workers report wakes whoever waits for the next report', async () => {
  const { workers, processes } = setUp();
  const worker = connect(workers, processes.start());
  const next = workers.nextReport();
  expect(await Promise.race([next, Promise.resolve('open')])).toBe('open');
  worker.report(1, 0);
  await next;
});

test('what workers report is in the status, with epoch 0 for one that has not acknowledged anything', () => {
  const { workers, processes } = setUp();
  const [one, two] = [connect(workers, processes.start()), connect(workers, processes.start())];
  one.ack(3);
  one.report(1, 2);
  expect(workers.status()).toEqual([
    {
      pid: one.pid,
      epoch: 3,
      inflight: { blue: 1, green: 2 },
      counters: testReport({ blue: 0, green: 0 }).counters,
    },
    { pid: two.pid, epoch: 0, inflight: { blue: 0, green: 0 }, counters: null },
  ]);
  one.leave();
  expect(workers.status()).toHaveLength(1);
});

test('a cut reaches every worker', () => {
  const { workers, processes } = setUp();
  const all = [connect(workers, processes.start()), connect(workers, processes.start())];
  workers.cut('green');
  for (const { sent } of all) expect(sent).toEqual([{ type: 'cut', slot: 'green' }]);
});

test('a worker that comes back is told at its first report what was to be forgotten meanwhile, if it has a cache', async () => {
  const { workers, processes } = setUp();
  await workers.purge({ paths: [], tags: ['post'] });
  const without = connect(workers, processes.start());
  without.report(0, 0);
  expect(without.sent).toEqual([]);

  const sent: ToWorker[] = [];
  const link = workers.join(processes.start(), (message) => sent.push(message));
  const report = testReport({ blue: 0, green: 0 });
  const cache = { hit: 0, stale: 0, revalidated: 0, miss: 0, bypass: 0, entries: 1, bytes: 1 };
  const counters = { ...report.counters, cache };
  link.receive({ ...report, counters });
  link.receive({ ...report, counters });
  expect(sent).toEqual([{ type: 'purge', id: expect.any(Number), paths: [], tags: ['post'] }]);
});

test('a connected worker hears the current assignment again when it is repeated, and before the first one nothing', async () => {
  const { workers, processes } = setUp();
  const worker = connect(workers, processes.start());
  workers.repeat();
  expect(worker.sent).toEqual([]);
  const assigned = workers.assign(testAssignment(4));
  worker.ack(4);
  await assigned;
  workers.repeat();
  const message = { type: 'assignment', assignment: testAssignment(4) };
  expect(worker.sent).toEqual([message, message]);
});

test('a worker that is told of a flip ahead of time is not ended for its silence until then', async () => {
  const { workers, processes } = setUp();
  const worker = connect(workers, processes.start());
  // Longer than a worker may take to acknowledge what is due at once.
  const flipAt = instantNow() + 2500;
  const assigned = workers.assign({ ...testAssignment(5), flipAt });
  await until(() => instantNow() > flipAt - 100, 'the instant');
  expect(isAlive(worker.pid)).toBe(true);
  worker.ack(5);
  await assigned;
});
