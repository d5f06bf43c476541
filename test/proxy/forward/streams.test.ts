import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startOrigin, startPlane, startRawOrigin } from '../../support/plane.ts';
import { ask, chunk, get, head, rawClient } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';

const MIB = 1024 * 1024;
const PIECE = Buffer.alloc(64 * 1024, 'x');

/** What loopback sockets and streams may hold on the way; far less than what the tests would send. */
const BUFFERED = 40 * MIB;
const TOTAL = 120 * MIB;

/** Writes as much as is taken; `sent` says how much that was. */
function writer(socket: Socket, total: number) {
  const state = { sent: 0 };
  const write = () => {
    while (state.sent < total) {
      state.sent += PIECE.length;
      if (!socket.write(PIECE)) break;
    }
  };
  socket.on('drain', write);
  write();
  return state;
}

/** Waits until a number stops growing; one that is looked at too early is only smaller. */
async function standstill(value: () => number): Promise<number> {
  let before = -1;
  let still = 0;
  await until(async () => {
    await delay(50);
    still = value() === before ? still + 1 : 0;
    before = value();
    return still >= 5;
  }, 'a standstill');
  return before;
}

test.for([
  ['with a length', head('HTTP/1.1 200 OK', `Content-Length: ${TOTAL}`)],
  ['without one', head('HTTP/1.1 200 OK', 'Connection: close')],
] as const)(
  'backpressure of a visitor that does not read reaches the site: an answer %s',
  async ([, start]) => {
    let state = { sent: 0 };
    const site = await startRawOrigin(async (wire) => {
      await wire.until('\r\n\r\n');
      wire.send(start);
      state = writer(wire.socket, TOTAL);
    });
    const { port, plane } = await startPlane({ blue: site.port });
    const client = await rawClient(port);
    client.socket.pause();
    client.send(get());
    await until(() => state.sent > 0, 'the answer to begin');
    const stopped = await standstill(() => state.sent);
    expect(stopped).toBeLessThan(BUFFERED);
    client.socket.resume();
    await until(() => state.sent >= TOTAL, 'the rest');
    if (start.includes('Length')) {
      await until(() => client.socket.bytesRead > TOTAL, 'all of it at the visitor');
      await until(() => plane.inflight.counts.blue === 0, 'its end');
    }
  },
);

test.for([
  ['with a length', `Content-Length: ${TOTAL}`],
  ['in chunks', 'Transfer-Encoding: chunked'],
  ['in chunks with trailers', 'Transfer-Encoding: chunked\r\nTrailer: X-Sum'],
] as const)(
  'backpressure of a site that does not read reaches the visitor: an upload %s',
  async ([, field]) => {
    const site = await startRawOrigin((wire) => wire.socket.pause());
    const { port } = await startPlane({ blue: site.port });
    const client = await rawClient(port);
    client.send(head('POST /', 'Host: a', field));
    // One chunk that never ends is as good as many.
    if (field.includes('chunked')) client.send(`${TOTAL.toString(16)}\r\n`);
    const state = writer(client.socket, TOTAL);
    await until(() => site.wires.length === 1, 'a connection to the site');
    const stopped = await standstill(() => state.sent);
    expect(stopped).toBeLessThan(BUFFERED);
    site.wires[0]?.socket.resume();
    await until(() => state.sent >= TOTAL && site.bytesRead() >= TOTAL, 'the rest');
  },
);

const data = randomBytes(24 * MIB + 12_345);
const sum = createHash('sha256').update(data).digest('hex');

async function hashOf(message: IncomingMessage): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(message, hash);
  return hash.digest('hex');
}

test.for(['content-length', 'chunked'])(
  'a large body arrives intact, up and down: %s',
  async (framing) => {
    const site = await startOrigin(async (incoming, response) => {
      response.setHeader('x-sum', await hashOf(incoming));
      if (framing === 'content-length') response.setHeader('content-length', data.length);
      for (let at = 0; at < data.length; at += 100_001) {
        if (!response.write(data.subarray(at, at + 100_001))) await once(response, 'drain');
      }
      response.end();
    });
    const { port, plane } = await startPlane({ blue: site.port });
    const headers = framing === 'content-length' ? { 'content-length': data.length } : {};
    const outgoing = request({ port, host: '127.0.0.1', method: 'PUT', headers, agent: false });
    outgoing.end(data);
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect(answer.headers['x-sum']).toBe(sum);
    expect(await hashOf(answer)).toBe(sum);
    await until(() => plane.inflight.counts.blue === 0, 'its end');
  },
);

test('a stream of events arrives event by event, and may be quiet for as long as it likes', async () => {
  const site = await startOrigin((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
  });
  let events: IncomingMessage['socket'] | null = null;
  site.server.on('request', (_request, response) => {
    events = response;
  });
  const { port } = await startPlane({ blue: site.port, proxy: { upstreamTimeoutMs: 400 } });
  const client = await rawClient(port);
  client.send(get('/', 'Accept: text/event-stream'));
  // The head comes at once, long before the first event.
  await client.until('\r\n\r\n');
  for (const event of ['one', 'two']) {
    await delay(700);
    (events as Socket | null)?.write(`data: ${event}\n\n`);
    await client.until(`data: ${event}\n\n`);
  }
  expect(client.state()).toBe('open');
});

test('a stream has its head passed on before its body, with a length or without', async () => {
  for (const field of ['Content-Length: 4', 'Transfer-Encoding: chunked']) {
    const site = await startRawOrigin(async (wire) => {
      await wire.until('\r\n\r\n');
      wire.send(head('HTTP/1.1 200 OK', field));
    });
    const { port } = await startPlane({ blue: site.port });
    const client = await rawClient(port);
    client.send(get());
    await client.until('\r\n\r\n');
    site.wires[0]?.send(field.startsWith('C') ? 'body' : chunk('body') + chunk(''));
    expect(await client.answer()).toMatchObject({ body: 'body', complete: true });
  }
});

test('a stream that ends with the site’s connection becomes one with an end of its own', async () => {
  const site = await startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n');
    wire.socket.end('HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end');
  });
  const { port } = await startPlane({ blue: site.port });
  const answer = await ask(port, get());
  expect(answer).toMatchObject({ framing: 'chunked', complete: true, body: 'until the end' });
});

test('a stream: for HTTP/1.0 ends with the connection', async () => {
  const site = await startOrigin((_request, response) => {
    response.write('one ');
    response.end('two');
  });
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(head('GET / HTTP/1.0', 'Host: a', 'Connection: keep-alive'));
  const answer = await client.answer();
  expect(answer).toMatchObject({ framing: 'close', body: 'one two' });
  expect(client.state()).toBe('ended');
});
