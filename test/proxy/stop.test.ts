import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { stopServing } from '../../src/proxy/stop.ts';
import { END_HEADERS, END_STREAM, fieldBlock, frameClient, TYPE } from '../support/http2-frames.ts';
import { type PlaneOptions, startOrigin, startPlane } from '../support/plane.ts';
import { values } from '../support/raw-answers.ts';
import { get, rawClient } from '../support/raw-http.ts';
import { http2Get, http2Session, makeCertificate } from '../support/tls.ts';
import { until } from '../support/until.ts';
import { openSocket, startWsSite } from '../support/ws-site.ts';

const LIMIT_MS = 20_000;

/** A site whose answers to `/held` wait until the test ends them. */
async function startHeld() {
  const held: ServerResponse[] = [];
  const site = await startOrigin((request, response) => {
    if (request.url === '/events') response.setHeader('content-type', 'text/event-stream');
    if (request.url === '/page') return void response.end('page');
    held.push(response);
    if (request.url !== '/silent') response.write('begun');
  });
  return { site, held };
}

async function start(options: Omit<PlaneOptions, 'blue'> = {}) {
  const { site, held } = await startHeld();
  return { ...(await startPlane({ ...options, blue: site.port })), held };
}

test('a worker that stops takes no new connections', async () => {
  const { port, plane } = await start();
  await stopServing(plane, LIMIT_MS);
  await expect(rawClient(port)).rejects.toThrow('ECONNREFUSED');
});

test('a worker that stops is done at once when nobody is connected', async () => {
  const { plane } = await start();
  const before = performance.now();
  await stopServing(plane, LIMIT_MS);
  expect(performance.now() - before).toBeLessThan(1500);
});

test('a worker that stops answers what each connection asks next, and says that it is the last', async () => {
  const { port, plane } = await start();
  const clients = await Promise.all([rawClient(port), rawClient(port), rawClient(port)]);
  const [used, fresh, bad] = clients as [
    (typeof clients)[0],
    (typeof clients)[0],
    (typeof clients)[0],
  ];
  used.send(get('/page'));
  expect(values((await used.answer()).fields, 'connection')).toEqual(['keep-alive']);
  const stopped = stopServing(plane, LIMIT_MS);
  for (const client of [used, fresh]) client.send(get('/page'));
  bad.send(get('http://[', 'X: y'));
  const [, second] = await used.answers(2);
  for (const answer of [second, await fresh.answer(), await bad.answer()]) {
    expect(values(answer?.fields ?? [], 'connection')).toEqual(['close']);
  }
  expect(second?.body).toBe('page');
  expect(await Promise.all(clients.map((client) => client.untilGone()))).toEqual(
    Array(3).fill('ended'),
  );
  for (const client of clients) client.socket.destroy();
  await stopped;
});

test('a worker that stops says so while there is no release too', async () => {
  const { port, plane } = await startPlane({ active: null });
  const client = await rawClient(port);
  const stopped = stopServing(plane, LIMIT_MS);
  client.send(get());
  expect(values((await client.answer()).fields, 'connection')).toEqual(['close']);
  client.socket.destroy();
  await stopped;
});

test('a worker that stops closes an idle connection only after it has been idle for a while', async () => {
  const { port, plane } = await start();
  const client = await rawClient(port);
  client.send(get('/page'));
  await client.answer();
  const before = performance.now();
  const stopped = stopServing(plane, LIMIT_MS);
  expect(await client.untilGone()).toBe('ended');
  expect(performance.now() - before).toBeGreaterThan(1900);
  await stopped;
});

test('a worker that stops gives a connection whose long answer has ended the same while', async () => {
  const { port, plane, held } = await start();
  const client = await rawClient(port);
  client.send(get('/held'));
  await client.until('begun');
  const stopped = stopServing(plane, LIMIT_MS);
  const idle = await rawClient(port).catch(() => null);
  expect(idle).toBeNull();
  // Well beyond the while that an idle connection has.
  const before = performance.now();
  await until(() => performance.now() - before > 2500, 'a while');
  expect(client.state()).toBe('open');
  held[0]?.end('and done');
  await client.until('0\r\n\r\n');
  client.send(get('/page'));
  const [first, second] = await client.answers(2);
  expect(first).toMatchObject({ body: 'begunand done', complete: true });
  expect(second?.body).toBe('page');
  expect(values(second?.fields ?? [], 'connection')).toEqual(['close']);
  client.socket.destroy();
  await stopped;
});

test('a worker that stops waits for an answer that has not begun', async () => {
  const { port, plane, held } = await start();
  const client = await rawClient(port);
  client.send(get('/silent'));
  await until(() => held.length === 1, 'the request at the site');
  const stopped = stopServing(plane, LIMIT_MS);
  const before = performance.now();
  await until(() => performance.now() - before > 2500, 'a while');
  held[0]?.end('at last');
  const answer = await client.answer();
  expect(answer.body).toBe('at last');
  expect(values(answer.fields, 'connection')).toEqual(['close']);
  client.socket.destroy();
  await stopped;
});

test('a worker that stops cuts at the limit: a stream ends well, a download does not look whole', async () => {
  const { port, plane } = await start();
  const [events, download] = await Promise.all([rawClient(port), rawClient(port)]);
  events.send(get('/events'));
  download.send(get('/held'));
  await Promise.all([events.until('begun'), download.until('begun')]);
  await stopServing(plane, 100);
  expect((await events.answer()).complete).toBe(true);
  expect((await download.answer()).complete).toBe(false);
  expect(plane.inflight.counts.blue).toBe(0);
});

test('a worker that stops keeps a WebSocket until the limit, and then says 1001', async () => {
  const site = await startWsSite();
  const { port, plane } = await startPlane({ blue: site.port });
  const socket = await openSocket(port);
  const closed = once(socket, 'close');
  const stopped = stopServing(plane, 2500);
  const before = performance.now();
  await until(() => performance.now() - before > 2200, 'a while');
  socket.send('still there');
  expect(String((await once(socket, 'message'))[0])).toBe('still there');
  expect((await closed)[0]).toBe(1001);
  await stopped;
  expect(plane.upgrades.count()).toBe(0);
});

async function startSecure() {
  const tls = await makeCertificate();
  return start({ proxy: { tls } });
}

test('a worker that stops, over HTTP/2 announces it, and finishes what runs', async () => {
  const { port, plane, held } = await startSecure();
  const session = await http2Session(port);
  const goaway = once(session, 'goaway');
  const running = http2Get(session, '/held');
  await until(() => held.length === 1, 'the request at the site');
  const stopped = stopServing(plane, LIMIT_MS);
  expect(await http2Get(session, '/page')).toMatchObject({ status: 200, resetBy: 0 });
  expect((await goaway)[0]).toBe(0);
  held[0]?.end(' and done');
  expect(await running).toMatchObject({ status: 200, resetBy: 0 });
  expect(String((await running).body)).toBe('begun and done');
  await stopped;
  expect(session.closed).toBe(true);
});

test('a worker that stops, over HTTP/2 answers what each connection asks next, and says that it is the last', async () => {
  const { port, plane } = await startSecure();
  const client = await frameClient(port);
  const stopped = stopServing(plane, LIMIT_MS);
  client.frame(TYPE.headers, END_HEADERS | END_STREAM, 1, fieldBlock('GET', [['x-a', 'b']]));
  const came = (wanted: number) => client.frames().find(({ type }) => type === wanted);
  await until(() => came(TYPE.headers), 'an answer');
  await until(() => came(TYPE.goaway), 'a GOAWAY');
  // The last stream that is answered, and no error.
  expect(came(TYPE.goaway)?.payload.toString('hex')).toBe('0000000100000000');
  client.frame(TYPE.reset, 0, 1, Buffer.from([0, 0, 0, 8]));
  expect(await client.untilGone()).toBe('ended');
  await stopped;
});

test('a worker that stops, over HTTP/2 cuts at the limit', async () => {
  const { port, plane } = await startSecure();
  const session = await http2Session(port);
  const streams = ['/events', '/held'].map((path) => session.request({ ':path': path }));
  for (const stream of streams) stream.on('error', () => {});
  await Promise.all(streams.map((stream) => once(stream, 'data')));
  for (const stream of streams) stream.resume();
  await stopServing(plane, 100);
  await until(() => streams.every(({ closed }) => closed), 'both ends');
  expect(streams.map(({ rstCode }) => rstCode)).toEqual([0, 2]);
});
