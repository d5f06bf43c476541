import { expect, test } from 'vitest';
import {
  END_HEADERS,
  END_STREAM,
  fieldBlock,
  frameClient,
  TYPE,
} from '../../support/http2-frames.ts';
import { startOrigin, startPlane } from '../../support/plane.ts';
import { get, rawClient } from '../../support/raw-http.ts';
import { makeCertificate } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

const WHOLE = END_HEADERS | END_STREAM;

/** Answers `/other` at once, nothing else ever. */
const startHolding = () =>
  startOrigin((request, response) => {
    if (request.url === '/other') response.end('other');
  });

test('one address takes no more than its share of a slot, and gives it back', async () => {
  const site = await startHolding();
  const { port, plane } = await startPlane({
    blue: site.port,
    proxy: { trustedProxies: [], limits: { inflightPerPeer: 5 } },
  });
  const holders = await Promise.all(Array.from({ length: 5 }, () => rawClient(port)));
  for (const holder of holders) holder.send(get('/hold'));
  await until(() => plane.inflight.counts.blue === 5, 'five requests');
  const sixth = await rawClient(port);
  sixth.send(get('/other'));
  expect((await sixth.answer()).status).toBe(429);
  const elsewhere = await rawClient(port, { localAddress: '127.0.0.2' });
  elsewhere.send(get('/other'));
  expect((await elsewhere.answer()).body).toBe('other');
  for (const holder of holders) holder.socket.destroy();
  await until(() => plane.inflight.counts.blue === 0, 'nothing in flight');
  sixth.send(get('/other'));
  expect((await sixth.answers(2))[1]?.body).toBe('other');
});

test('22 HTTP/2 connections of 100 requests each, without a window, keep no other address out', async () => {
  const site = await startHolding();
  const tls = await makeCertificate();
  const { port, plane } = await startPlane({
    blue: site.port,
    proxy: { tls, trustedProxies: [] },
  });
  for (let i = 0; i < 22; i++) {
    const client = await frameClient(port);
    client.frame(TYPE.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0]));
    for (let n = 0; n < 100; n++) client.frame(TYPE.headers, WHOLE, 2 * n + 1, fieldBlock('GET'));
  }
  await until(() => (plane.counters.refused[4] as number) >= 1900, 'the others to be refused');
  expect(plane.inflight.counts.blue).toBe(250);
});

test('a connection may not have more requests under way than limits.inflightPerConnection', async () => {
  const site = await startHolding();
  const tls = await makeCertificate();
  const { port, plane } = await startPlane({
    blue: site.port,
    proxy: { tls, limits: { inflightPerConnection: 7 } },
  });
  const client = await frameClient(port);
  const settings = client.frames().find(({ type, flags }) => type === TYPE.settings && flags === 0);
  // SETTINGS_MAX_CONCURRENT_STREAMS: browsers wait by themselves.
  expect(settings?.payload.includes(Buffer.from([0, 3, 0, 0, 0, 7]))).toBe(true);
  for (let n = 0; n < 7; n++) client.frame(TYPE.headers, WHOLE, 2 * n + 1, fieldBlock('GET'));
  await until(() => plane.inflight.counts.blue === 7, 'seven requests');
});

test('a trusted proxy has no such limit', async () => {
  const site = await startHolding();
  const { port, plane } = await startPlane({
    blue: site.port,
    proxy: { limits: { inflightPerPeer: 2 } },
  });
  const holders = await Promise.all(Array.from({ length: 5 }, () => rawClient(port)));
  for (const holder of holders) holder.send(get('/hold'));
  await until(() => plane.inflight.counts.blue === 5, 'five requests');
});
