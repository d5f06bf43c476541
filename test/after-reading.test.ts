import { once } from 'node:events';
import { Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createHeadWatch } from '../src/proxy/forward/head-watch.ts';
import { connectSlot } from '../src/proxy/slot/connect.ts';
import { startEcho, startPlane, startRawOrigin } from './support/plane.ts';
import { chunk, get, head, rawClient } from './support/raw-http.ts';
import { until } from './support/until.ts';
import { upgradeHead } from './support/ws-site.ts';

const AGREED = head(
  'HTTP/1.1 101 Switching Protocols',
  'Connection: Upgrade',
  'Upgrade: websocket',
);

/**
 * Keeps the event loop from running, as a starved machine or a stopped process does, after `arrive` has handed something to
 * the kernel. From an immediate: the loop goes on with its timers, before it reads.
 */
function standStill(ms: number, arrive: () => void = () => {}): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => {
      arrive();
      const end = performance.now() + ms;
      while (performance.now() < end);
      resolve();
    });
  });
}

/** A site that sends a first piece of an answer and leaves the rest to the test. */
async function halfAnswered() {
  const site = await startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n');
    wire.send(head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked') + chunk('one'));
  });
  const proxy = { limits: { upstreamIdleTimeoutMs: 200 } };
  const { port } = await startPlane({ blue: site.port, proxy });
  const client = await rawClient(port);
  client.send(get());
  await client.until('one');
  return { client, slot: site.wires[0] };
}

test('an answer is not cut off when its next piece came while the worker stood still', async () => {
  const { client, slot } = await halfAnswered();
  await standStill(500, () => slot?.send(chunk('two') + chunk('')));
  expect(await client.answer()).toMatchObject({ body: 'onetwo', complete: true });
});

test('an answer is cut off all the same when nothing came while the worker stood still', async () => {
  const { client } = await halfAnswered();
  await standStill(500);
  await client.untilGone();
});

test('an answer may stand still anew for the whole limit after the worker stood still', async () => {
  const { client, slot } = await halfAnswered();
  await standStill(500, () => slot?.send(chunk('two')));
  await client.until('two');
  slot?.send(chunk('three') + chunk(''));
  expect(await client.answer()).toMatchObject({ body: 'onetwothree', complete: true });
});

test('a slot whose head came while the worker stood still has answered', async () => {
  const site = await startRawOrigin(() => {});
  const socket = new Socket().connect(site.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  await until(() => site.wires[0], 'the connection');
  let reason: Error | null = null;
  const waiting = {
    seenWaiting: 0,
    giveUp(why: Error) {
      reason = why;
    },
  };
  socket.on('data', () => {
    waiting.seenWaiting = -1;
  });
  // As long as one look after the other finds it waiting: the next one is the last.
  createHeadWatch(1000, () => (reason || waiting.seenWaiting === -1 ? [] : [waiting])).begin();
  waiting.seenWaiting = 10;
  await standStill(300, () => site.wires[0]?.send('head'));
  await until(() => waiting.seenWaiting === -1, 'the answer to be read');
  expect(reason).toBeNull();
});

test('a slot that accepted a connection while the worker stood still is connected to', async () => {
  const site = await startRawOrigin(() => {});
  const socket = new Socket();
  onTestFinished(() => void socket.destroy());
  const { promise, resolve } = Promise.withResolvers<Error | null>();
  await standStill(300, () => void connectSlot({ port: site.port }, 100, socket, resolve));
  expect(await promise).toBeNull();
});

test('a visitor whose next request came while the worker stood still is answered', async () => {
  const site = await startEcho();
  const proxy = { keepAliveTimeoutMs: 1 };
  const { port } = await startPlane({ blue: site.port, proxy });
  const client = await rawClient(port);
  client.send(get('/1'));
  await client.answers(1);
  await standStill(1300, () => client.send(get('/2')));
  expect(await client.answers(2)).toMatchObject([{ status: 200 }, { status: 200 }]);
});

test('a visitor whose head came to its end while the worker stood still is answered', async () => {
  const site = await startEcho();
  const proxy = { limits: { headersTimeoutMs: 200 } };
  const { port, plane } = await startPlane({ blue: site.port, proxy });
  const accepted = once(plane.server, 'connection');
  const client = await rawClient(port);
  client.send('GET / HTTP/1.1\r\nHost: ');
  const [visitor] = (await accepted) as [Socket];
  await until(() => visitor.bytesRead > 0, 'the half head to be read');
  await standStill(500, () => client.send('a\r\n\r\n'));
  expect((await client.answer()).status).toBe(200);
});

test('a body goes on whose next piece came while the worker stood still', async () => {
  const site = await startEcho();
  const proxy = { limits: { bodyIdleTimeoutMs: 200 } };
  const { port } = await startPlane({ blue: site.port, proxy });
  const client = await rawClient(port);
  client.send(`${head('POST /', 'Host: a', 'Content-Length: 6')}one`);
  await until(() => site.received().endsWith('one'), 'the first half at the site');
  await standStill(500, () => client.send('two'));
  expect((await client.answer()).status).toBe(200);
});

test('an upgrade that the slot agreed to while the worker stood still is made', async () => {
  let agree = () => {};
  const site = await startRawOrigin((wire) => {
    agree = () => wire.send(`${AGREED}first`);
  });
  const proxy = { upstreamTimeoutMs: 200 };
  const { port } = await startPlane({ blue: site.port, proxy });
  const client = await rawClient(port);
  client.send(upgradeHead());
  await until(() => site.received().endsWith('\r\n\r\n'), 'the upgrade at the site');
  await standStill(500, () => agree());
  expect(await client.until('first')).toMatch(/^HTTP\/1\.1 101 /);
});
