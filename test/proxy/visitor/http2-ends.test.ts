import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import {
  END_HEADERS,
  END_STREAM,
  type FrameClient,
  fieldBlock,
  frameClient,
  TYPE,
} from '../../support/http2-frames.ts';
import { type PlaneOptions, startOrigin, startPlane, startRawOrigin } from '../../support/plane.ts';
import { http2Get, http2Session, makeCertificate } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

async function startSecure(options: PlaneOptions) {
  const tls = await makeCertificate();
  const running = await startPlane({ ...options, proxy: { ...options.proxy, tls } });
  return { ...running, session: await http2Session(running.port) };
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

test('a visitor who gives up a download ends it at the site', async () => {
  const gone = Promise.withResolvers<void>();
  const site = await startOrigin((_request, response) => {
    response.on('close', gone.resolve);
    response.write('first');
  });
  const { session, plane } = await startSecure({ blue: site.port });
  const stream = session.request({ ':path': '/' });
  await once(stream, 'data');
  stream.close(8);
  await gone.promise;
  await until(() => plane.inflight.counts.blue === 0, 'nothing in flight');
  expect(session.closed).toBe(false);
});

const GIVING_UP: [string, (client: FrameClient) => void][] = [
  ['a reset', (client) => client.frame(TYPE.reset, 0, 1, Buffer.from([0, 0, 0, 8]))],
  ['a reset without a reason', (client) => client.frame(TYPE.reset, 0, 1, Buffer.alloc(4))],
  ['the end of the connection', (client) => client.socket.end()],
  ['the death of the connection', (client) => client.socket.destroy()],
];
test.each(GIVING_UP)('an upload given up by %s never looks whole', async (_name, giveUp) => {
  const outcome = Promise.withResolvers<string>();
  const arrived = Promise.withResolvers<void>();
  const site = await startOrigin((request: IncomingMessage) => {
    request.once('data', () => arrived.resolve());
    request.on('end', () => outcome.resolve('whole'));
    request.on('error', () => outcome.resolve('broken'));
  });
  const { port, plane } = await startSecure({ blue: site.port });
  const client = await frameClient(port);
  client.frame(TYPE.headers, END_HEADERS, 1, fieldBlock('POST'));
  client.frame(TYPE.data, 0, 1, Buffer.from('half of it'));
  await arrived.promise;
  giveUp(client);
  expect(await outcome.promise).toBe('broken');
  await until(() => plane.inflight.counts.blue === 0, 'nothing in flight');
});

test.each([
  ['with a length', 'Content-Length: 100\r\n\r\nhalf'],
  ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
])('a site that breaks off an answer %s resets the stream, and only that', async (_name, rest) => {
  const site = await startRawOrigin(async (wire) => {
    const text = await wire.until('\r\n\r\n').catch(() => '');
    wire.send(text.startsWith('GET /broken') ? `HTTP/1.1 200 OK\r\n${rest}` : OK);
    if (text.startsWith('GET /broken')) wire.socket.end();
  });
  const { session } = await startSecure({ blue: site.port });
  const broken = await http2Get(session, '/broken');
  expect(broken.status).toBe(200);
  expect(broken.resetBy).not.toBe(0);
  expect(await http2Get(session, '/fine')).toMatchObject({ status: 200, resetBy: 0 });
});

test('a cut resets downloads and ends event streams', async () => {
  const site = await startOrigin((request, response) => {
    if (request.url === '/events') response.setHeader('content-type', 'text/event-stream');
    response.write('begun');
  });
  const { session, plane } = await startSecure({ blue: site.port });
  const begun = (path: string) => {
    const stream = session.request({ ':path': path });
    stream.on('error', () => {});
    return stream;
  };
  const streams = [begun('/events'), begun('/download')];
  await Promise.all(streams.map((stream) => once(stream, 'data')));
  plane.cut('blue');
  await until(() => streams.every(({ closed }) => closed), 'both ends');
  expect(streams.map(({ rstCode }) => rstCode)).toEqual([0, 2]);
  expect(session.closed).toBe(false);
});

test('an answer of a known length ends with its last piece, and needs no frame for that', async () => {
  const site = await startRawOrigin((wire) => wire.send(OK));
  const tls = await makeCertificate();
  const { port } = await startPlane({ proxy: { tls }, blue: site.port });
  const client = await frameClient(port);
  client.frame(TYPE.headers, END_STREAM | END_HEADERS, 1, fieldBlock('GET'));
  const ofAnswer = () => client.frames().filter(({ stream }) => stream === 1);
  await client.until(() => ofAnswer().some(({ flags }) => flags & END_STREAM));
  const [head, ...pieces] = ofAnswer();
  expect(head?.type).toBe(TYPE.headers);
  expect(pieces.map(({ type, payload }) => ({ type, text: String(payload) }))).toEqual([
    { type: TYPE.data, text: 'ok' },
  ]);
});
