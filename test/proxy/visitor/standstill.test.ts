import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  END_HEADERS,
  END_STREAM,
  fieldBlock,
  frameClient,
  TYPE,
} from '../../support/http2-frames.ts';
import { startOrigin, startPlane } from '../../support/plane.ts';
import { ask, get, rawClient } from '../../support/raw-http.ts';
import { makeCertificate, tlsSocket } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

const WHOLE = END_HEADERS | END_STREAM;
const limits = { sendTimeoutMs: 500 };
const SIZE = 30_000_000;

const large = () => startOrigin((_request, response) => response.end(Buffer.alloc(SIZE)));

test.each(['with TLS', 'without TLS'])('a visitor who takes nothing is cut off %s', async (how) => {
  const site = await large();
  const tls = how === 'with TLS' ? await makeCertificate() : undefined;
  const { port, plane } = await startPlane({ blue: site.port, proxy: { limits, tls } });
  const socket = tls ? await tlsSocket(port) : (await rawClient(port)).socket;
  socket.pause();
  socket.write(get());
  await until(() => plane.inflight.counts.blue === 1, 'the request');
  await until(() => plane.inflight.counts.blue === 0, 'its end', 10_000);
  await until(() => plane.connections.sockets().length === 0, 'no socket', 10_000);
});

test.each(['with TLS', 'without TLS'])(
  'a visitor who takes a little is not cut off %s',
  async (how) => {
    const site = await startOrigin((_request, response) => response.end(Buffer.alloc(100_000_000)));
    const tls = how === 'with TLS' ? await makeCertificate() : undefined;
    const { port, plane } = await startPlane({ blue: site.port, proxy: { limits, tls } });
    const socket = tls ? await tlsSocket(port) : (await rawClient(port)).socket;
    let came = 0;
    let allowed = 0;
    socket.on('data', (chunk: Buffer) => {
      came += chunk.length;
      if (came > allowed) socket.pause();
    });
    socket.write(get());
    // More than the kernel waits for until it takes more from the proxy, and in all far beyond the limit.
    for (let i = 0; i < 20; i++) {
      allowed += 2_500_000;
      socket.resume();
      await until(() => came > allowed, 'some of it');
      await delay(100);
    }
    expect(plane.inflight.counts.blue).toBe(1);
    allowed = Number.POSITIVE_INFINITY;
    socket.resume();
    await until(() => came > 100_000_000, 'all of it');
  },
);

test('over HTTP/2 a stream without a window is given up, with its place, and its session lives on', async () => {
  const site = await startOrigin((_request, response) => response.end(Buffer.alloc(100_000)));
  const tls = await makeCertificate();
  const { port, plane } = await startPlane({ blue: site.port, proxy: { limits, tls } });
  const client = await frameClient(port);
  client.frame(TYPE.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0]));
  for (let n = 0; n < 20; n++) client.frame(TYPE.headers, WHOLE, 2 * n + 1, fieldBlock('GET'));
  await until(() => plane.inflight.counts.blue === 20, 'the requests');
  // Pings are no progress.
  const pings = setInterval(() => client.frame(TYPE.ping, 0, 0, Buffer.alloc(8)), 50);
  await until(() => plane.inflight.counts.blue === 0, 'their end', 10_000);
  clearInterval(pings);
  const resets = () => client.frames().filter(({ type }) => type === TYPE.reset).length;
  await until(() => resets() >= 20, 'a reset of each');
  expect(resets()).toBe(20);
  expect(client.state()).toBe('open');
});

test('over HTTP/2 a connection that is not read from is closed', async () => {
  const site = await large();
  const tls = await makeCertificate();
  const { port, plane } = await startPlane({ blue: site.port, proxy: { limits, tls } });
  const client = await frameClient(port);
  client.frame(TYPE.settings, 0, 0, Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff]));
  client.frame(8, 0, 0, Buffer.from([0x7f, 0, 0, 0]));
  client.socket.pause();
  client.frame(TYPE.headers, WHOLE, 1, fieldBlock('GET'));
  await until(() => plane.inflight.counts.blue === 1, 'the request');
  await until(() => plane.inflight.counts.blue === 0, 'its end', 10_000);
  await until(() => plane.connections.sessions.size === 0, 'no session', 10_000);
});

test('a WebSocket that is not read from is cut off', async () => {
  const site = await startOrigin(() => {});
  site.server.on('upgrade', (_request, socket) => {
    socket.on('error', () => {});
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    socket.write(Buffer.alloc(SIZE));
  });
  const { port, plane } = await startPlane({ blue: site.port, proxy: { limits } });
  const client = await rawClient(port);
  client.send(
    get(
      '/',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ),
  );
  await client.until('101');
  client.socket.pause();
  await until(() => plane.upgrades.count() === 0, 'its end', 10_000);
});

test('an answer that the site has not begun is not held against the visitor', async () => {
  const site = await startOrigin(async (_request, response) => {
    response.write('first');
    await delay(1500);
    response.end('last');
  });
  const { port } = await startPlane({ blue: site.port, proxy: { limits } });
  expect((await ask(port, get())).body).toBe('firstlast');
});
