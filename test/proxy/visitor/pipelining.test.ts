import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { type Origin, startOrigin, startPlane } from '../../support/plane.ts';
import { ask, chunk, get, head, rawClient } from '../../support/raw-http.ts';
import { makeCertificate, tlsSocket } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

/** Answers `/slow…` only when it is told to, everything else at once, each with its target. */
async function startSlow(): Promise<Origin & { release(): void; asked: string[] }> {
  const held: (() => void)[] = [];
  const asked: string[] = [];
  const site = await startOrigin((request, response) => {
    asked.push(request.url as string);
    const answer = () => response.end(request.url);
    if (request.url?.startsWith('/slow')) held.push(answer);
    else request.resume().on('end', answer);
  });
  site.server.on('upgrade', (request, socket) => {
    asked.push(request.url as string);
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    socket.write('tunnel');
  });
  const release = () => {
    for (const answer of held.splice(0)) answer();
  };
  return { ...site, asked, release };
}

const UPGRADE = get(
  '/socket',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
);

test('requests that come at once on one connection are worked on one after another', async () => {
  const site = await startSlow();
  const { port, plane } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(Array.from({ length: 1300 }, (_, i) => get(`/slow/${i}`)).join(''));
  for (let i = 0; i < 20; i++) {
    await until(() => site.asked.length === i + 1, `request ${i}`);
    expect(plane.inflight.counts.blue).toBe(1);
    site.release();
  }
  const expected = Array.from({ length: 20 }, (_, i) => `/slow/${i}`);
  expect((await client.answers(20)).slice(0, 20).map(({ body }) => body)).toEqual(expected);
});

test('two visitors who send 1300 requests each at once, and read nothing, keep nobody out', async () => {
  const site = await startSlow();
  const limits = { inflightPerSlot: 20, queuedPerSlot: 0 };
  const { port, plane } = await startPlane({ blue: site.port, proxy: { limits } });
  for (let i = 0; i < 2; i++) {
    const client = await rawClient(port);
    client.socket.pause();
    client.send(get('/slow').repeat(1300));
  }
  await until(() => site.asked.length >= 2, 'their first requests');
  expect((await ask(port, get('/page'))).body).toBe('/page');
  expect(plane.inflight.counts.blue).toBeLessThanOrEqual(2);
});

test('more requests than are read ahead are all answered, in their order', async () => {
  const site = await startSlow();
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  const count = 3000;
  const targets = Array.from({ length: count }, (_, i) => `/${i}`);
  client.send(targets.map((target) => get(target, 'Connection: keep-alive')).join(''));
  // Parsed once, at the end: again with each piece takes minutes.
  await client.until((text) => text.endsWith(`/${count - 1}`), 30_000);
  expect((await client.answers(count)).map(({ body }) => body)).toEqual(targets);
});

test('requests with bodies that come at once are answered in their order', async () => {
  const site = await startSlow();
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  const post = (i: number) =>
    `${head(`POST /${i}`, 'Host: a', 'Transfer-Encoding: chunked')}${chunk('a'.repeat(30_000))}${chunk('')}`;
  client.send(Array.from({ length: 40 }, (_, i) => post(i)).join(''));
  const bodies = (await client.answers(40)).map(({ body }) => body);
  expect(bodies).toEqual(Array.from({ length: 40 }, (_, i) => `/${i}`));
});

test('waiting requests of a visitor who leaves never reach the site', async () => {
  const site = await startSlow();
  const { port, plane } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(get('/slow') + get('/next').repeat(20));
  await until(() => site.asked.length === 1, 'the first');
  client.socket.destroy();
  await until(() => plane.inflight.counts.blue === 0, 'nothing in flight');
  site.release();
  expect((await ask(port, get('/other'))).body).toBe('/other');
  expect(site.asked).toEqual(['/slow', '/other']);
});

test.each([
  ['garbage', 'what is this\r\n\r\n'],
  ['a head with a bad field', head('GET /bad', 'Host: a', 'Bad Field: 1')],
  ['a CONNECT', head('CONNECT other:443', 'Host: other:443')],
])(
  '%s behind a slow request is answered after it, and the connection is closed',
  async (_name, bytes) => {
    const site = await startSlow();
    const { port } = await startPlane({ blue: site.port });
    const client = await rawClient(port);
    client.send(get('/slow') + get('/slow/2'));
    client.send(bytes);
    await until(() => site.asked.length === 1, 'the first');
    expect(client.text()).toBe('');
    site.release();
    await until(() => site.asked.length === 2, 'the second');
    site.release();
    expect(await client.untilGone()).toBe('ended');
    const answers = await client.answers(3);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 400]);
    expect(answers.slice(0, 2).map(({ body }) => body)).toEqual(['/slow', '/slow/2']);
  },
);

test('a body that turns out to be none takes no answer from the request before it', async () => {
  const site = await startSlow();
  const { port, plane } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(get('/slow') + head('POST /upload', 'Host: a', 'Transfer-Encoding: chunked'));
  client.send('zz\r\n');
  await until(() => site.asked.length === 1, 'the first');
  site.release();
  expect(await client.untilGone()).toBe('ended');
  expect((await client.answers(2)).map(({ status }) => status)).toEqual([200, 400]);
  expect(site.asked).toEqual(['/slow']);
  await until(() => plane.inflight.counts.blue === 0, 'nothing in flight');
});

test('an upgrade waits for the answers to what came before it', async () => {
  const site = await startSlow();
  const { port, plane } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(get('/slow') + get('/slow/2') + UPGRADE);
  await until(() => site.asked.length === 1, 'the first');
  site.release();
  await until(() => site.asked.length === 2, 'the second');
  expect(plane.upgrades.count()).toBe(0);
  site.release();
  const text = await client.until('tunnel');
  const order = ['/slow', '/slow/2', '101 Switching', 'tunnel'].map((part) => text.indexOf(part));
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(order).not.toContain(-1);
});

test('an upgrade behind an answer that closes the connection is not begun', async () => {
  const site = await startSlow();
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(get('/slow', 'Connection: close') + UPGRADE);
  await until(() => site.asked.length === 1, 'the first');
  site.release();
  expect(await client.untilGone()).toBe('ended');
  expect(client.text()).not.toContain('101');
  expect(site.asked).toEqual(['/slow']);
});

test('with TLS requests that come at once are worked on one after another too', async () => {
  const site = await startSlow();
  const tls = await makeCertificate();
  const { port, plane } = await startPlane({ blue: site.port, proxy: { tls } });
  const socket = await tlsSocket(port);
  socket.write(get('/slow').repeat(500));
  await until(() => site.asked.length === 1, 'the first');
  site.release();
  await until(() => site.asked.length === 2, 'the second');
  expect(plane.inflight.counts.blue).toBe(1);
});

test('requests over TLS that come while a long answer waits to be read are answered in their turn', async () => {
  const site = await startOrigin((request, response) =>
    response.end(request.url === '/long' ? 'x'.repeat(20_000_000) : 'short'),
  );
  const tls = await makeCertificate();
  const { port, plane } = await startPlane({ blue: site.port, proxy: { tls } });
  const accepted = new Promise<Socket>((resolve) => {
    plane.server.once('secureConnection', resolve);
  });
  const socket = await tlsSocket(port);
  let text = '';
  socket.write(get('/long'));
  const visitor = await accepted;
  await until(() => visitor.writableNeedDrain, 'the long answer to wait');
  const before = visitor.bytesRead;
  // Several records in one write: all are decrypted in one read.
  socket.setMaxSendFragment(512);
  socket.write(get('/short', `X-Padding: ${'p'.repeat(300)}`).repeat(4));
  await until(() => visitor.bytesRead > before, 'the others to be read');
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1').replaceAll('x', '');
  });
  const statuses = () => text.match(/HTTP\/1\.1 \d+/g) ?? [];
  await until(() => statuses().length === 5, 'all answers');
  expect(statuses()).toEqual(Array(5).fill('HTTP/1.1 200'));
});
