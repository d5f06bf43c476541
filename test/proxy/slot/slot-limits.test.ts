import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startDeafSite } from '../../support/deaf-site.ts';
import { startOrigin, startPlane, startRawOrigin } from '../../support/plane.ts';
import { values } from '../../support/raw-answers.ts';
import { ask, chunk, get, head, rawClient, type Wire } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';

const OK = head('HTTP/1.1 200 OK', 'Content-Length: 0');

/** A slot with room for two, and two who wait, full. */
async function full() {
  const site = await startRawOrigin(() => {});
  const limits = { inflightPerSlot: 2, queuedPerSlot: 2, queueTimeoutMs: 60_000 };
  const { port, plane } = await startPlane({ blue: site.port, proxy: { limits } });
  const clients = [];
  for (let i = 1; i <= 4; i++) {
    const client = await rawClient(port);
    client.send(get(`/${i}`));
    await until(() => plane.inflight.counts.blue === i, 'the request');
    clients.push(client);
  }
  await until(() => site.wires.length === 2, 'two requests at the site');
  return { site, port, plane, clients };
}

test('inflightPerSlot: what finds the queue full is answered 503 with Retry-After, at once', async () => {
  const { port, site, plane } = await full();
  const answer = await ask(port, get('/5'));
  expect(answer.status).toBe(503);
  expect(Number(values(answer.fields, 'retry-after')[0])).toBeGreaterThan(0);
  expect(site.received()).not.toContain('/5');
  await until(() => plane.inflight.counts.blue === 4, 'the turned away to be counted off');
});

test('inflightPerSlot: what waits comes in, in order, as room is made', async () => {
  const { site, clients } = await full();
  expect(site.received()).not.toContain('/3');
  site.wires[0]?.send(OK);
  await until(() => site.received().includes('GET /3'), 'the third at the site');
  expect(site.received()).not.toContain('/4');
  for (const wire of site.wires) wire.send(OK);
  await until(() => site.received().includes('GET /4'), 'the fourth at the site');
  for (const wire of site.wires) wire.send(OK);
  for (const client of clients.slice(0, 3)) expect((await client.answer()).status).toBe(200);
});

test('inflightPerSlot: what has waited for queueTimeoutMs is answered 503 with Retry-After', async () => {
  const site = await startRawOrigin(() => {});
  const limits = { inflightPerSlot: 1, queuedPerSlot: 2, queueTimeoutMs: 150 };
  const { port, plane } = await startPlane({ blue: site.port, proxy: { limits } });
  const inside = await rawClient(port);
  inside.send(get('/1'));
  await until(() => site.received() !== '', 'the first at the site');
  for (const answer of await Promise.all([ask(port, get('/3')), ask(port, get('/4'))])) {
    expect(answer.status).toBe(503);
    expect(values(answer.fields, 'retry-after')).toHaveLength(1);
  }
  expect(site.received()).not.toMatch(/\/[34]/);
  await until(() => plane.inflight.counts.blue === 1, 'both to be counted off');
});

const proxy = { upstreamTimeoutMs: 150 };

test.for([
  ['a GET', get()],
  ['a POST', `${head('POST /', 'Host: a', 'Content-Length: 2')}ok`],
  ['OPTIONS *', head('OPTIONS *', 'Host: a')],
  [
    'a body with trailers',
    head('POST /', 'Host: a', 'Transfer-Encoding: chunked', 'Trailer: X').concat(chunk('')),
  ],
] as const)(
  'upstreamTimeoutMs: a site that does not begin to answer %s: 504, and cancelled',
  async ([, bytes]) => {
    const site = await startRawOrigin(() => {});
    const { port, plane } = await startPlane({ blue: site.port, proxy });
    const answer = await ask(port, bytes);
    expect(answer.status).toBe(504);
    expect(plane.counters.upstreamErrors.blue).toBe(1);
    await site.wires[0]?.untilGone();
  },
);

test('upstreamTimeoutMs is for the whole of the head', async () => {
  const site = await startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n');
    wire.send('HTTP/1.1 200 OK\r\nContent-');
  });
  const { port } = await startPlane({ blue: site.port, proxy });
  expect((await ask(port, get())).status).toBe(504);
  await site.wires[0]?.untilGone();
});

test('upstreamTimeoutMs begins anew with an informational answer', async () => {
  const site = await startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n');
    // All three take longer than the limit, and none of them does.
    for (let hint = 0; hint < 3; hint++) {
      wire.send(head('HTTP/1.1 103 Early Hints', 'Link: </a.css>'));
      await delay(800);
    }
    wire.send(head('HTTP/1.1 200 OK', 'Content-Length: 2', 'Connection: close').concat('ok'));
  });
  const { port } = await startPlane({ blue: site.port, proxy: { upstreamTimeoutMs: 2000 } });
  const client = await rawClient(port);
  client.send(get());
  await client.until('ok');
  expect(client.text()).toContain('HTTP/1.1 200 OK');
});

test('upstreamTimeoutMs is over when the head is there, however long the body takes', async () => {
  const site = await startOrigin(async (_request, response) => {
    response.write('one ');
    await delay(900);
    response.end('two');
  });
  const { port } = await startPlane({ blue: site.port, proxy: { upstreamTimeoutMs: 400 } });
  expect(await ask(port, get())).toMatchObject({ body: 'one two', complete: true });
});

test('upstreamTimeoutMs is not for a body whose visitor takes its time, with trailers or without', async () => {
  const site = await startOrigin((request, response) => {
    request.resume().on('end', () => response.end('all'));
  });
  const { port } = await startPlane({ blue: site.port, proxy: { upstreamTimeoutMs: 400 } });
  const slowly = async (...fields: string[]) => {
    const client = await rawClient(port);
    client.send(head('POST /', 'Host: a', 'Transfer-Encoding: chunked', ...fields));
    client.send(chunk('one'));
    await delay(900);
    client.send(chunk('two') + chunk(''));
    return client.answer();
  };
  for (const answer of await Promise.all([slowly(), slowly('Trailer: X')])) {
    expect(answer).toMatchObject({ status: 200, body: 'all' });
  }
});

test.for(['GET', 'OPTIONS'])(
  'upstreamIdleTimeoutMs breaks off an answer that stands still: %s',
  async (method) => {
    const site = await startRawOrigin(async (wire) => {
      await wire.until('\r\n\r\n');
      wire.send(head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked') + chunk('part'));
    });
    const proxy = { limits: { upstreamIdleTimeoutMs: 150 } };
    const { port } = await startPlane({ blue: site.port, proxy });
    const client = await rawClient(port);
    client.send(method === 'GET' ? get() : head('OPTIONS *', 'Host: a'));
    await client.untilGone();
    expect(client.text()).toContain('part');
    expect(client.text()).not.toMatch(/0\r\n\r\n$/);
    await site.wires[0]?.untilGone();
  },
);

test('upstreamIdleTimeoutMs is not for a visitor who reads slowly', async () => {
  const body = 'x'.repeat(16 << 20);
  const site = await startOrigin((_request, response) => response.end(body));
  const proxy = { limits: { upstreamIdleTimeoutMs: 150 } };
  const { port } = await startPlane({ blue: site.port, proxy });
  const client = await rawClient(port);
  client.send(get());
  await client.until('\r\n\r\n');
  client.socket.pause();
  await delay(600);
  client.socket.resume();
  const hasAll = () => client.socket.bytesRead > body.length;
  await until(() => hasAll() || client.state() !== 'open', 'all of it, or that it is cut off');
  expect(hasAll()).toBe(true);
});

test('upstreamIdleTimeoutMs is over with the body, on a connection that stays', async () => {
  let wire: Wire | undefined;
  const site = await startRawOrigin((it) => {
    wire = it;
  });
  const proxy = { limits: { upstreamIdleTimeoutMs: 150 } };
  const { port } = await startPlane({ blue: site.port, proxy });
  const client = await rawClient(port);
  client.send(get('/one'));
  await until(() => wire?.text().includes('/one'), 'the first request');
  wire?.send(`${head('HTTP/1.1 200 OK', 'Content-Length: 2')}o`);
  await client.until('\r\n\r\no');
  wire?.send('k');
  expect((await client.answer()).body).toBe('ok');
  client.send(get('/two'));
  await until(() => wire?.text().includes('/two'), 'the second request, on the same connection');
  await delay(600);
  wire?.send(OK);
  expect((await client.answers(2)).map(({ status }) => status)).toEqual([200, 200]);
});

test('connectTimeoutMs: a site that does not accept a connection: 504', async () => {
  const site = await startDeafSite();
  const proxy = { limits: { connectTimeoutMs: 200 }, upstreamTimeoutMs: 5000 };
  const running = await startPlane({ blue: site.port, proxy });
  expect((await ask(running.port, get())).status).toBe(504);
  expect((await ask(running.port, head('OPTIONS *', 'Host: a'))).status).toBe(504);
  expect(running.plane.counters.upstreamErrors.blue).toBe(2);
});
