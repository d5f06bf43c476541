import { once } from 'node:events';
import { expect, test } from 'vitest';
import {
  END_HEADERS,
  END_STREAM,
  type FrameClient,
  fieldBlock,
  frameClient,
  TYPE,
} from '../../support/http2-frames.ts';
import { type PlaneOptions, startOrigin, startPlane } from '../../support/plane.ts';
import { http2Get, http2Request, http2Session, makeCertificate } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

const WHOLE = END_HEADERS | END_STREAM;
const CONTINUATION = 9;

async function startSecure(options: PlaneOptions) {
  const tls = await makeCertificate();
  return startPlane({ ...options, proxy: { ...options.proxy, tls } });
}

const FLOODS: [string, (client: FrameClient, n: number) => void][] = [
  [
    'of requests that are reset at once',
    (client, n) => {
      client.frame(TYPE.headers, WHOLE, 2 * n + 1, fieldBlock('GET'));
      client.frame(TYPE.reset, 0, 2 * n + 1, Buffer.from([0, 0, 0, 8]));
    },
  ],
  [
    'of field blocks without an end',
    (client, n) => {
      if (n === 0) client.frame(TYPE.headers, 0, 1, fieldBlock('GET'));
      else client.frame(CONTINUATION, 0, 1, Buffer.concat([fieldBlock('GET', [['x-a', 'b']])]));
    },
  ],
  ['of frames for streams that are none', (client) => client.frame(TYPE.data, 0, 2, Buffer.of(1))],
  [
    'of pings without an eye for the answers',
    (client) => client.frame(TYPE.ping, 0, 0, Buffer.alloc(8)),
  ],
  ['of settings without an eye for the answers', (client) => client.frame(TYPE.settings, 0, 0)],
];

test.each(FLOODS)(
  'a flood: %s does not go on for long, and hurts nobody else',
  async (name, send) => {
    let seen = 0;
    const site = await startOrigin((request, response) => {
      seen++;
      if (request.headers['x-other']) response.end('page');
    });
    const { port, plane } = await startSecure({ blue: site.port });
    const client = await frameClient(port);
    // Answers pile up only if nobody takes them.
    if (name.includes('eye')) client.socket.pause();
    const other = await http2Session(port);
    const total = 100_000;
    for (let n = 0; n < total && !client.socket.destroyed && client.state() === 'open'; ) {
      for (let i = 0; i < 200 && n < total; i++) send(client, n++);
      if (client.socket.writableNeedDrain) {
        const drained = once(client.socket, 'drain').catch(() => {});
        await Promise.race([drained, once(client.socket, 'close')]);
      }
      await new Promise(setImmediate);
    }
    if (name.includes('eye')) client.socket.resume();
    await client.untilGone();
    expect(seen).toBeLessThan(1000);
    expect((await http2Get(other, '/', { 'x-other': '1' })).status).toBe(200);
    await until(() => plane.inflight.counts.blue === 0, 'nothing in flight');
  },
);

test('one connection may not have more than a hundred requests open', async () => {
  const site = await startOrigin(() => {});
  const { port, plane } = await startSecure({ blue: site.port });
  const client = await frameClient(port);
  for (let n = 0; n < 101; n++) client.frame(TYPE.headers, WHOLE, 2 * n + 1, fieldBlock('GET'));
  // It has been told so, and has agreed: no mistake, but an attack.
  await client.untilGone();
  expect(client.frames().map(({ type }) => type)).toContain(TYPE.goaway);
  await until(() => plane.inflight.counts.blue === 0, 'nothing in flight');
});

test('one connection is closed in good order when it has been idle, but not under a quiet stream', async () => {
  const site = await startOrigin((request, response) => {
    if (request.url === '/quiet') response.write('begun');
    else response.end();
  });
  const { port } = await startSecure({ blue: site.port, proxy: { keepAliveTimeoutMs: 200 } });
  const quiet = await http2Session(port);
  const stream = quiet.request({ ':path': '/quiet' });
  await once(stream, 'data');
  const idle = await http2Session(port);
  await http2Get(idle, '/');
  const codes: number[] = [];
  idle.on('goaway', (code) => codes.push(code));
  await once(idle, 'close');
  expect(codes).toEqual([0]);
  expect(quiet.closed).toBe(false);
  const ended = once(quiet, 'close');
  stream.close();
  await ended;
});

test('one request has so many fields', async () => {
  const site = await startOrigin((_request, response) => response.end('page'));
  const limits = { headerCount: 10 };
  const { port } = await startSecure({ blue: site.port, proxy: { limits } });
  const session = await http2Session(port);
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`x-${i}`, '1']));
  expect((await http2Get(session, '/', many)).status).toBe(431);
  // The pieces of a cookie count as one.
  const cookie = Array.from({ length: 30 }, (_, i) => `c${i}=1`);
  expect((await http2Get(session, '/', { cookie })).status).toBe(200);
});

test('one request has fields of such a size', async () => {
  const site = await startOrigin((_request, response) => response.end('page'));
  const { port } = await startSecure({
    blue: site.port,
    proxy: { limits: { headerBytes: 2000 } },
  });
  const session = await http2Session(port);
  const large = await http2Get(session, '/', { 'x-a': 'a'.repeat(10_000) });
  expect(large.status === 431 || large.resetBy !== 0).toBe(true);
  const slightly = await http2Get(session, '/', { 'x-a': 'a'.repeat(2000) });
  expect(slightly.status).toBe(431);
  expect(site.received()).toBe('');
  expect((await http2Get(await http2Session(port), '/')).status).toBe(200);
});

test('one request has a body of such a size, said or not', async () => {
  const site = await startOrigin((request, response) => void request.pipe(response));
  const { port } = await startSecure({ blue: site.port, proxy: { limits: { bodyBytes: 1000 } } });
  const session = await http2Session(port);
  const post = { ':method': 'POST' };
  const said = await http2Request(session, { ...post, 'content-length': 2000 }, (stream) => {
    stream.end(Buffer.alloc(2000));
  });
  expect(said.status).toBe(413);
  const unsaid = await http2Request(session, post, (stream) => stream.end(Buffer.alloc(2000)));
  expect(unsaid.status === 413 || unsaid.resetBy !== 0).toBe(true);
  const small = await http2Request(session, post, (stream) => stream.end(Buffer.alloc(1000)));
  expect(small).toMatchObject({ status: 200, resetBy: 0 });
  expect(small.body).toHaveLength(1000);
});

test('one request does not keep its stream for a body that nobody reads', async () => {
  const { port } = await startSecure({ active: null });
  const session = await http2Session(port);
  // Never ended by the client.
  const answer = await http2Request(session, { ':method': 'POST' }, (stream) => {
    stream.write('beginning');
  });
  expect(answer.status).toBe(503);
  expect(session.closed).toBe(false);
});

test('one request that moves nothing for a while is answered 408', async () => {
  const site = await startOrigin((request) => void request.resume());
  const limits = { bodyIdleTimeoutMs: 150 };
  const { port } = await startSecure({ blue: site.port, proxy: { limits } });
  const session = await http2Session(port);
  const answer = await http2Request(session, { ':method': 'POST' }, (stream) => {
    stream.write('beginning');
  });
  expect(answer.status).toBe(408);
});

test('one request has an authority', async () => {
  const site = await startOrigin((_request, response) => response.end('page'));
  const { port } = await startSecure({ blue: site.port });
  const client = await frameClient(port);
  // `:method`, `:scheme` and `:path` only.
  client.frame(TYPE.headers, WHOLE, 1, Buffer.from([0x82, 0x87, 0x84]));
  await until(() => client.frames().some(({ stream }) => stream === 1), 'an answer');
  const [first] = client.frames().filter(({ stream }) => stream === 1);
  // Reset as malformed, or answered: `:status 400` is number 12 of HPACK's static table.
  expect(first?.type === TYPE.reset || first?.payload[0] === 0x8c).toBe(true);
  expect(site.received()).toBe('');
});

test.each(['evil.test/x', 'user@evil.test', 'a:99999'])(
  'one request may not be for %s',
  async (authority) => {
    const site = await startOrigin((_request, response) => response.end('page'));
    const { port } = await startSecure({ blue: site.port });
    const session = await http2Session(port);
    const answer = await http2Get(session, '/', { ':authority': authority });
    expect(answer.status === 400 || answer.resetBy !== 0).toBe(true);
    expect(site.received()).toBe('');
  },
);

test('one request with CONNECT is answered 400', async () => {
  const { port } = await startSecure({});
  const session = await http2Session(port);
  const stream = session.request({ ':method': 'CONNECT', ':authority': 'a:443' });
  expect((await once(stream, 'response'))[0][':status']).toBe(400);
});
