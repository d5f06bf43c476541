import { createConnection, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { listenOnControlSocket } from '../../../src/controller/control-socket.ts';
import { createWorkers } from '../../../src/controller/workers/fleet.ts';
import { serveWorker } from '../../../src/controller/workers/link.ts';
import { lines } from '../../../src/wire/lines.ts';
import { MAX_LINE_BYTES } from '../../../src/wire/messages.ts';
import { collectedLog } from '../../support/collected-log.ts';
import { tempSite } from '../../support/temp-site.ts';
import { testAssignment, testReport } from '../../support/test-assignment.ts';
import { until } from '../../support/until.ts';
import { testProcesses } from '../../support/worker-processes.ts';

/** A controller's side of the control socket, with epoch 3 assigned. */
async function controller() {
  const paths = await tempSite();
  const processes = testProcesses();
  const { log, events } = collectedLog();
  const ahead: number[] = [];
  const workers = createWorkers(processes, log);
  workers.onAhead((epoch) => ahead.push(epoch));
  await workers.assign(testAssignment(3));
  const server = await listenOnControlSocket(
    paths,
    (_request, response) => response.end(),
    (socket, pid) => serveWorker(socket, pid, workers, log),
  );
  const sockets = new Set<Socket>();
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await processes.endAll();
  });

  /** A worker's side: what it received, and how it sends. */
  const connect = (pid: number) => {
    const socket = createConnection(paths.controlSocket);
    sockets.add(socket);
    socket.on('error', () => {});
    const received: unknown[] = [];
    const take = (line: string) => void (line.startsWith('{') && received.push(JSON.parse(line)));
    socket.on(
      'data',
      lines(take, () => expect.unreachable('the controller sends short lines')),
    );
    socket.write(
      `GET /worker HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: slots-worker\r\nx-slots-pid: ${pid}\r\n\r\n`,
    );
    const send = (message: unknown) => socket.write(`${JSON.stringify(message)}\n`);
    const ended = new Promise((resolve) => socket.once('close', resolve));
    return { socket, received, send, ended };
  };
  return { workers, processes, connect, events, ahead };
}

test('a worker on the control socket gets the current assignment first, and every one that follows', async () => {
  const { workers, processes, connect } = await controller();
  const worker = connect(processes.start());
  await until(() => worker.received.length === 1, 'the assignment');
  const assigned = workers.assign(testAssignment(4));
  await until(() => worker.received.length === 2, 'the next assignment');
  worker.send({ type: 'ack', epoch: 4, revision: 0 });
  await assigned;
  workers.cut('green');
  await until(() => worker.received.length === 3, 'the cut');
  expect(worker.received).toEqual([
    { type: 'assignment', assignment: testAssignment(3) },
    { type: 'assignment', assignment: testAssignment(4) },
    { type: 'cut', slot: 'green' },
  ]);
});

test('a worker on the control socket is known by its pid, and what it counts is heard', async () => {
  const { workers, processes, connect } = await controller();
  const pid = processes.start();
  const worker = connect(pid);
  worker.send({ type: 'ack', epoch: 3, revision: 0 });
  worker.send(testReport({ blue: 4, green: 1 }));
  await until(() => workers.inflight('blue') === 4, 'the report');
  expect(workers.status()).toMatchObject([
    { pid, epoch: 3, inflight: { blue: 4, green: 1 }, counters: { retries: 0 } },
  ]);
});

test('a worker on the control socket is gone when its connection is, whichever way it ends', async () => {
  const { workers, processes, connect, events } = await controller();
  for (const end of ['end', 'destroy'] as const) {
    const worker = connect(processes.start());
    await until(() => workers.status().length === 1, 'the worker to be known');
    worker.socket[end]();
    await until(() => workers.status().length === 0, 'the worker to be gone');
  }
  expect(events('worker.join')).toHaveLength(2);
  expect(events('worker.leave')).toHaveLength(2);
});

test.each([
  ['is no JSON', 'hello'],
  ['is of no known type', '{"type":"nonsense"}'],
  ['counts below zero', JSON.stringify(testReport({ blue: -1, green: 0 }))],
  ['has an epoch that is no number', '{"type":"ack","epoch":"4","revision":0}'],
  ['leaves a slot out', '{"type":"report","epoch":1,"inflight":{"blue":1},"counters":{}}'],
])(
  'a worker on the control socket is cut off for a message that %s, and nothing after it counts',
  async (_name, line) => {
    const { workers, processes, connect, events, ahead } = await controller();
    const worker = connect(processes.start());
    const good = JSON.stringify(testReport({ blue: 7, green: 7 }));
    const later = JSON.stringify({ type: 'ack', epoch: 99, revision: 0 });
    worker.socket.write(`${line}\n${later}\n${good}\n`);
    await worker.ended;
    await until(() => workers.status().length === 0, 'the worker to be gone');
    expect(events('worker.refused')).toHaveLength(1);
    expect(ahead).toEqual([]);
  },
);

test('a worker on the control socket is cut off for a line without end, and others are not', async () => {
  const { workers, processes, connect } = await controller();
  const good = connect(processes.start());
  await until(() => good.received.length === 1, 'the assignment');
  const bad = connect(processes.start());
  bad.socket.write('x'.repeat(MAX_LINE_BYTES * 4));
  await bad.ended;
  await until(() => workers.status().length === 1, 'only one worker');
  good.send(testReport({ blue: 1, green: 0 }));
  await until(() => workers.status()[0]?.inflight.blue === 1, 'the report of the good one');
});
