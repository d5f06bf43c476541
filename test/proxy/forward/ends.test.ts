/** An exchange ends, once, whatever becomes of its visitor; nothing of it stays behind. */
import { expect, test } from 'vitest';
import {
  END_HEADERS,
  END_STREAM,
  type FrameClient,
  fieldBlock,
  frameClient,
  TYPE,
} from '../../support/http2-frames.ts';
import { startOrigin, startPlane, startSilent } from '../../support/plane.ts';
import { get, head, rawClient } from '../../support/raw-http.ts';
import { http2Session, makeCertificate } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

/** SETTINGS_INITIAL_WINDOW_SIZE 0: nothing of an answer's body may be sent. */
const NO_WINDOW = Buffer.from([0, 4, 0, 0, 0, 0]);
const GOAWAY = Buffer.alloc(8);
const NO_ERROR = Buffer.alloc(4);

const reset = (client: FrameClient) => client.frame(TYPE.reset, 0, 1, NO_ERROR);
const goAway = (client: FrameClient) => client.frame(TYPE.goaway, 0, 0, GOAWAY);

const LEAVES: [string, (client: FrameClient) => void][] = [
  [
    'GOAWAY, a reset without an error and the end',
    (client) => {
      goAway(client);
      reset(client);
      client.socket.end();
    },
  ],
  [
    'a reset without an error and the end',
    (client) => {
      reset(client);
      client.socket.end();
    },
  ],
  ['a reset without an error', reset],
  [
    'GOAWAY and the end',
    (client) => {
      goAway(client);
      client.socket.end();
    },
  ],
  ['the end', (client) => client.socket.end()],
  ['a destroyed connection', (client) => client.socket.destroy()],
];

test.each(LEAVES)(
  'a visitor over HTTP/2 who reads nothing and leaves by %s holds no place',
  async (_how, leave) => {
    const site = await startOrigin((_request, response) => response.end('x'.repeat(100_000)));
    const tls = await makeCertificate();
    const { port, plane } = await startPlane({ blue: site.port, proxy: { tls } });
    const client = await frameClient(port);
    client.frame(TYPE.settings, 0, 0, NO_WINDOW);
    client.frame(TYPE.headers, END_HEADERS | END_STREAM, 1, fieldBlock('GET'));
    await client.until(() => client.frames().some(({ type }) => type === TYPE.headers));
    expect(plane.inflight.counts.blue).toBe(1);
    leave(client);
    await until(() => plane.inflight.counts.blue === 0, 'nothing in flight');
    expect(plane.places()).toEqual({ blue: 0, green: 0 });
  },
);

test('a HEAD over HTTP/2 that is given up before its answer holds no place', async () => {
  const site = await startSilent();
  const tls = await makeCertificate();
  const { port, plane } = await startPlane({ blue: site.port, proxy: { tls } });
  const session = await http2Session(port);
  const stream = session.request({ ':path': '/', ':method': 'HEAD' });
  stream.on('error', () => {});
  await (await site.connection()).until('\r\n\r\n');
  stream.close(8);
  await until(() => plane.inflight.counts.blue === 0, 'nothing in flight');
  expect(plane.places()).toEqual({ blue: 0, green: 0 });
});

test('thousands of visitors who leave at any moment leave nothing behind', async () => {
  const site = await startOrigin((request, response) => {
    request.resume();
    if (request.url === '/long') response.write('begun');
    else response.end('x'.repeat(50_000));
  });
  const tls = await makeCertificate();
  const plain = await startPlane({ blue: site.port });
  const secure = await startPlane({ blue: site.port, proxy: { tls } });
  let random = 7;
  const next = (below: number) => {
    random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
    return random % below;
  };
  const leaveHttp1 = async () => {
    const client = await rawClient(plain.port);
    const path = next(2) ? '/long' : '/';
    const upload = head('POST /', 'Host: a', 'Content-Length: 1000') + 'x'.repeat(next(1000));
    const bytes = next(3) ? get(path) : upload;
    client.send(bytes.slice(0, next(4) ? bytes.length : next(bytes.length)));
    for (let turns = next(6); turns > 0; turns--) await new Promise(setImmediate);
    if (next(2)) client.socket.destroy();
    else client.socket.resetAndDestroy();
  };
  const leaveHttp2 = async () => {
    const session = await http2Session(secure.port);
    for (let streams = 1 + next(4); streams > 0; streams--) {
      const stream = session.request({ ':path': next(2) ? '/long' : '/' });
      stream.on('error', () => {});
      if (next(3) === 0) stream.close(next(2) ? 8 : 0);
    }
    for (let turns = next(20); turns > 0; turns--) await new Promise(setImmediate);
    if (next(3)) session.destroy();
    else session.close();
    session.unref();
    if (!session.destroyed) setTimeout(() => session.destroy(), 50);
  };
  for (let round = 0; round < 60; round++) {
    await Promise.all([
      ...Array.from({ length: 20 }, leaveHttp1),
      ...Array.from({ length: 4 }, leaveHttp2),
    ]);
  }
  for (const { plane } of [plain, secure]) {
    await until(() => plane.inflight.counts.blue === 0, 'nothing in flight');
    expect(plane.places()).toEqual({ blue: 0, green: 0 });
    expect(plane.audit()).toEqual([]);
  }
}, 120_000);
