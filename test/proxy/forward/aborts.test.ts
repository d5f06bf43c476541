import { expect, test } from 'vitest';
import { startDeafSite } from '../../support/deaf-site.ts';
import { startOrigin, startPlane, startRawOrigin, startSilent } from '../../support/plane.ts';
import { ask, chunk, get, head, rawClient } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';

const CHUNKED = 'Transfer-Encoding: chunked';

test.for([
  ['before the answer', '', 'end'],
  ['before the answer, with a reset', '', 'reset'],
  ['in the middle of an answer', `${head('HTTP/1.1 200 OK', CHUNKED)}${chunk('part')}`, 'end'],
  ['in the middle of a long one', head('HTTP/1.1 200 OK', 'Content-Length: 9').concat('p'), 'end'],
  ['after early hints', head('HTTP/1.1 103 Early Hints', 'Link: </a>'), 'reset'],
] as const)(
  'a visitor that leaves cancels its request at the site: %s',
  async ([, answer, how]) => {
    const site = await startSilent();
    const { port, plane } = await startPlane({ blue: site.port });
    const client = await rawClient(port);
    client.send(get());
    const wire = await site.connection();
    await wire.until('\r\n\r\n');
    if (answer) {
      wire.send(answer);
      await client.until('HTTP/1.1');
    }
    if (how === 'reset') client.socket.resetAndDestroy();
    else client.socket.destroy();
    await wire.untilGone();
    await until(() => plane.inflight.counts.blue === 0, 'the request to be counted off');
    expect(plane.counters.upstreamErrors.blue).toBe(0);
  },
);

test('a visitor that leaves cancels its request at the site in the middle of its upload, which the site must not take for whole', async () => {
  const site = await startSilent();
  const { port, plane } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(`${head('POST /', 'Host: a', CHUNKED)}${chunk('part')}`);
  const wire = await site.connection();
  await wire.until('part');
  client.socket.destroy();
  await wire.untilGone();
  expect(wire.text()).not.toMatch(/0\r\n\r\n$/);
  await until(() => plane.inflight.counts.blue === 0, 'the request to be counted off');
});

test('a visitor that leaves cancels its request at the site: while it waits in the queue: the site never hears of it', async () => {
  const site = await startSilent();
  const limits = { inflightPerSlot: 1 };
  const { port, plane } = await startPlane({ blue: site.port, proxy: { limits } });
  const first = await rawClient(port);
  first.send(get('/first'));
  const wire = await site.connection();
  await wire.until('\r\n\r\n');
  const queued = await rawClient(port);
  queued.send(get('/queued'));
  await until(() => plane.inflight.counts.blue === 2, 'the second to wait');
  queued.socket.destroy();
  await until(() => plane.inflight.counts.blue === 1, 'the second to be gone');
  const third = await rawClient(port);
  third.send(get('/third'));
  await until(() => plane.inflight.counts.blue === 2, 'the third to wait');
  wire.send(head('HTTP/1.1 200 OK', 'Content-Length: 0'));
  await first.answer();
  await until(() => site.received().includes('GET /third'), 'the third to be sent');
  expect(site.received()).not.toContain('queued');
});

test('a visitor that leaves cancels its request at the site: while the connection to the site is being made: the site never hears of it', async () => {
  const site = await startDeafSite();
  const limits = { connectTimeoutMs: 60_000 };
  const { port, plane } = await startPlane({ blue: site.port, proxy: { limits } });
  const client = await rawClient(port);
  client.send(get('/gone'));
  await until(() => plane.inflight.counts.blue === 1, 'the request');
  client.socket.destroy();
  await until(() => plane.inflight.counts.blue === 0, 'the request to be gone');
  site.wakeUp();
  await until(() => site.hasAccepted(1), 'the connection to be made after all');
  expect((await ask(port, get('/after'))).body).toBe('/after');
  expect(site.heard()).toEqual(['/after']);
});

test('a visitor that leaves cancels its request at the site and the next visitor is served as if nothing had been', async () => {
  const site = await startOrigin((request, response) => {
    if (request.url === '/next') response.end('next');
  });
  const limits = { inflightPerSlot: 2, queuedPerSlot: 0 };
  const { port, plane } = await startPlane({ blue: site.port, proxy: { limits } });
  for (let i = 0; i < 5; i++) {
    const client = await rawClient(port);
    client.send(get());
    await until(() => plane.inflight.counts.blue === 1, 'the request');
    client.socket.destroy();
    await until(() => plane.inflight.counts.blue === 0, 'its end');
  }
  expect((await ask(port, get('/next'))).body).toBe('next');
});

test('a site that answers before it has read the upload reaches the visitor, whose next request is answered too', async () => {
  const site = await startOrigin((request, response) => {
    response.writeHead(401).end('early');
    request.resume();
  });
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(`${head('POST /', 'Host: a', 'Content-Length: 10')}half.`);
  expect(await client.answer()).toMatchObject({ status: 401, body: 'early' });
  client.send(`half.${get('/next')}`);
  expect((await client.answers(2)).length).toBe(2);
});

test.each([
  ['a length', 'Content-Length: 10', 'half.'],
  ['chunks', CHUNKED, chunk('half.')],
])(
  'a site that answers before it has read an upload with %s gets no other request for the rest of it',
  async (_name, framing, half) => {
    const site = await startRawOrigin(async (wire) => {
      await wire.until('half.').catch(() => {});
      wire.send(head('HTTP/1.1 401 Unauthorized', 'Content-Length: 0'));
    });
    const { port } = await startPlane({ blue: site.port });
    const client = await rawClient(port);
    client.send(head('POST /', 'Host: a', framing) + half);
    expect((await client.answer()).status).toBe(401);
    const other = await rawClient(port);
    other.send(get('/other?half.'));
    expect((await other.answer()).status).toBe(401);
    expect(site.wires[0]?.text()).not.toContain('/other');
    await site.wires[0]?.untilGone();
  },
);

test('a site that answers before it has read the upload reaches the visitor even if it closes and the upload goes on', async () => {
  const site = await startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n');
    wire.socket.pause();
    wire.send(head('HTTP/1.1 401 Unauthorized', 'Connection: close', 'Content-Length: 0'));
  });
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  const size = 8 * 1024 * 1024;
  client.send(head('POST /', 'Host: a', `Content-Length: ${size}`));
  client.send(Buffer.alloc(size));
  expect((await client.answer()).status).toBe(401);
});

test('a site that answers before it has read the upload: the answer may stream while the upload does', async () => {
  const site = await startOrigin((request, response) => {
    response.writeHead(200);
    request.on('data', (piece) => response.write(`<${piece}>`));
    request.on('end', () => response.end());
  });
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(head('POST /', 'Host: a', CHUNKED));
  for (const word of ['one', 'two', 'three']) {
    client.send(chunk(word));
    await client.until(`<${word}>`);
  }
  client.send(chunk(''));
  expect(await client.answer()).toMatchObject({ body: '<one><two><three>', complete: true });
});
