import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { startEcho, startOrigin, startPlane, startRawOrigin } from '../../support/plane.ts';
import { values } from '../../support/raw-answers.ts';
import { ask, chunk, get, head, type RawClient, rawClient } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';

const CHUNKED = 'Transfer-Encoding: chunked';

const proxy = { limits: { headersTimeoutMs: 200 } };

test.for([
  ['in the middle of its head', 'GET / HTTP/1.1\r\nHost: a\r\nX-A'],
  ['in the middle of its first line', 'GE'],
  ['after an answered request, in the middle of the next', `${get()}GET / HT`],
] as const)(
  'headersTimeoutMs: a visitor that stops %s is answered 408, and closed',
  async ([, bytes]) => {
    const site = await startEcho();
    const { port } = await startPlane({ blue: site.port, proxy });
    const client = await rawClient(port);
    client.send(bytes);
    expect(await client.untilGone()).toBe('ended');
    const answers = await client.answers(1);
    expect(answers.at(-1)?.status).toBe(408);
    expect(answers.length).toBe(bytes.includes('\r\n\r\n') ? 2 : 1);
  },
);

test('headersTimeoutMs counts from the first byte: a connection may be opened ahead of its first request', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port, proxy });
  const client = await rawClient(port);
  // Long enough for Node's own look, which counts from the connection's beginning.
  await delay(700);
  expect(client.state()).toBe('open');
  client.send('GET / HTTP/1.1\r\nHost: a\r\n');
  await delay(50);
  client.send('\r\n');
  expect((await client.answer()).status).toBe(200);
  client.send('GET / HTTP/1.1\r\nHo');
  expect((await client.answers(2)).at(-1)?.status).toBe(408);
});

test('headersTimeoutMs is over all of the head: it does not help to go on byte by byte', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port, proxy });
  const client = await rawClient(port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\nX-A: ');
  const dribble = setInterval(() => client.send('a'), 20);
  expect(await client.untilGone()).toBe('ended');
  clearInterval(dribble);
  expect(client.text()).toMatch(/^HTTP\/1\.1 408 /);
  expect(site.received()).toBe('');
});

test('headersTimeoutMs: 1000 such visitors do not stop a normal one, and are all gone in the end', async () => {
  const site = await startEcho();
  const limits = { headersTimeoutMs: 2000 };
  const { port } = await startPlane({ blue: site.port, proxy: { limits } });
  const slow: RawClient[] = [];
  while (slow.length < 1000) {
    const some = await Promise.all(Array.from({ length: 50 }, () => rawClient(port)));
    for (const client of some) client.send('GET / HTTP/1.1\r\nHost: a\r\nX-A: ');
    slow.push(...some);
  }
  const normal = await rawClient(port);
  for (let i = 1; i <= 50; i++) {
    for (const client of slow) if (client.state() === 'open') client.send('a');
    normal.send(get());
    expect((await normal.answers(i)).at(-1)?.status).toBe(200);
  }
  await Promise.all(slow.map((client) => client.untilGone()));
});

describe('bodyIdleTimeoutMs', () => {
  const proxy = { limits: { bodyIdleTimeoutMs: 200 } };

  test.for([
    ['in chunks', `${head('POST /', 'Host: a', CHUNKED)}${chunk('part')}`],
    ['with a length', `${head('POST /', 'Host: a', 'Content-Length: 9')}part`],
    ['of which nothing has come', head('POST /', 'Host: a', 'Content-Length: 9')],
  ] as const)('a body %s that stands still is answered 408, and closed', async ([, bytes]) => {
    const site = await startEcho();
    const { port, plane } = await startPlane({ blue: site.port, proxy });
    const client = await rawClient(port);
    client.send(bytes);
    const answer = await client.answer();
    expect(answer.status).toBe(408);
    expect(values(answer.fields, 'connection')).toEqual(['close']);
    await client.untilGone();
    for (const wire of site.wires) await wire.untilGone();
    await until(() => plane.inflight.counts.blue === 0, 'its end');
    expect(plane.counters.upstreamErrors.blue).toBe(0);
  });

  test('a body that moves may take longer', async () => {
    const site = await startEcho();
    const { port } = await startPlane({
      blue: site.port,
      proxy: { upstreamTimeoutMs: 500, limits: { bodyIdleTimeoutMs: 2000 } },
    });
    const client = await rawClient(port);
    client.send(head('POST /', 'Host: a', CHUNKED));
    // All of it takes longer than the limit, and no pause does.
    const begun = performance.now();
    const pieces = ['one ', 'two ', 'three ', 'four ', 'five ', 'six'];
    for (const piece of pieces) {
      client.send(chunk(piece));
      await delay(400);
    }
    expect(performance.now() - begun).toBeGreaterThan(2000);
    client.send(chunk(''));
    const answer = await client.answer();
    expect(JSON.parse(answer.body).body).toBe(pieces.join(''));
  });

  test('is not for the time that the site takes to answer', async () => {
    const site = await startOrigin(async (request, response) => {
      request.resume();
      await delay(700);
      response.end('late');
    });
    const { port } = await startPlane({ blue: site.port, proxy });
    const request = `${head('POST /', 'Host: a', 'Content-Length: 2')}ok`;
    expect(await ask(port, request)).toMatchObject({ status: 200, body: 'late' });
  });

  test('is not for a site that reads slowly, but for the visitor after it', async () => {
    const site = await startRawOrigin((wire) => wire.socket.pause());
    const limits = { bodyIdleTimeoutMs: 600 };
    const { port } = await startPlane({ blue: site.port, proxy: { limits } });
    const client = await rawClient(port);
    const size = 64 * 1024 * 1024;
    client.send(head('POST /', 'Host: a', `Content-Length: ${size + 10}`));
    client.send(Buffer.alloc(size));
    await delay(1500);
    expect(client.text()).toBe('');
    site.wires[0]?.socket.resume();
    // All but the last bytes is there now, and the visitor does not send them.
    expect((await client.answer()).status).toBe(408);
  });
});

describe('bodyBytes', () => {
  const proxy = { limits: { bodyBytes: 1000 } };

  test('a body that is announced to be larger is answered 413 before the site hears of it', async () => {
    const site = await startEcho();
    const { port } = await startPlane({ blue: site.port, proxy });
    const client = await rawClient(port);
    client.send(head('POST /', 'Host: a', 'Content-Length: 1001') + 'a'.repeat(1001));
    expect((await client.answer()).status).toBe(413);
    expect(await client.untilGone()).toBe('ended');
    expect(site.received()).toBe('');
  });

  test('a chunked one is answered 413 when it turns out to be, and not whole for the site', async () => {
    const site = await startEcho();
    const { port, plane } = await startPlane({ blue: site.port, proxy });
    const client = await rawClient(port);
    client.send(head('POST /', 'Host: a', CHUNKED) + chunk('a'.repeat(900)));
    await until(() => site.bytesRead() > 900, 'the first part at the site');
    client.send(chunk('b'.repeat(101)) + chunk(''));
    expect((await client.answer()).status).toBe(413);
    await client.untilGone();
    for (const wire of site.wires) await wire.untilGone();
    expect(site.received()).not.toContain('b'.repeat(101));
    expect(plane.counters.upstreamErrors.blue).toBe(0);
  });

  test.for(['Content-Length: 50000000', CHUNKED])(
    'the answer reaches a visitor that goes on sending: %s',
    async (field) => {
      const site = await startEcho();
      const { port } = await startPlane({ blue: site.port, proxy });
      for (let i = 0; i < 5; i++) {
        const client = await rawClient(port);
        client.send(head('POST /', 'Host: a', field));
        if (field === CHUNKED) client.send('1000000\r\n');
        const piece = Buffer.alloc(256 * 1024);
        const more = () => {
          while (client.state() === 'open' && client.socket.writable) {
            if (!client.socket.write(piece)) break;
          }
        };
        client.socket.on('drain', more);
        more();
        const answer = await client.answer();
        expect(answer).toMatchObject({ status: 413, complete: true });
        client.socket.destroy();
      }
    },
  );

  test('the answer is not cut off by a reset: what the visitor still sends is read', async () => {
    const site = await startEcho();
    const { port } = await startPlane({ blue: site.port, proxy });
    const client = await rawClient(port);
    const errors: Error[] = [];
    client.socket.on('error', (error) => errors.push(error));
    client.send(head('POST /', 'Host: a', 'Content-Length: 2000000'));
    expect((await client.answer()).status).toBe(413);
    client.send(Buffer.alloc(2_000_000));
    expect(await client.untilGone()).toBe('ended');
    await until(() => client.socket.destroyed, 'the socket to be closed');
    expect(errors).toEqual([]);
  });

  test('a body of just that size passes, and 0 means no limit', async () => {
    const site = await startEcho();
    const limited = await startPlane({ blue: site.port, proxy });
    const body = 'a'.repeat(1000);
    const exact = head('POST /', 'Host: a', 'Content-Length: 1000') + body;
    expect((await ask(limited.port, exact)).status).toBe(200);
    const chunked = head('POST /', 'Host: a', CHUNKED) + chunk(body) + chunk('');
    expect((await ask(limited.port, chunked)).status).toBe(200);
    const free = await startPlane({ blue: site.port, proxy: { limits: { bodyBytes: 0 } } });
    expect((await ask(free.port, exact)).status).toBe(200);
  });
});

test('more connections than limits.connections are closed at once', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port, proxy: { limits: { connections: 3 } } });
  const open = await Promise.all(Array.from({ length: 3 }, () => rawClient(port)));
  for (const client of open) {
    client.send(get());
    expect((await client.answer()).status).toBe(200);
  }
  const extra = await rawClient(port);
  await extra.untilGone();
  expect(extra.text()).toBe('');
  open[0]?.socket.destroy();
  await until(async () => (await ask(port, get())).status === 200, 'room for another');
});

test('keepAliveTimeoutMs closes a connection that never brings anything, without a word', async () => {
  const { port } = await startPlane({ proxy: { keepAliveTimeoutMs: 150 } });
  const client = await rawClient(port);
  expect(await client.untilGone()).toBe('ended');
  expect(client.text()).toBe('');
});

test('keepAliveTimeoutMs closes a connection that has been idle, after its answer', async () => {
  const site = await startEcho();
  const [long, short] = await Promise.all(
    [60_000, 150].map(async (keepAliveTimeoutMs) => {
      const { port } = await startPlane({ blue: site.port, proxy: { keepAliveTimeoutMs } });
      const client = await rawClient(port);
      client.send(get());
      expect((await client.answer()).status).toBe(200);
      return client;
    }),
  );
  expect(await short?.untilGone()).toBe('ended');
  expect(long?.state()).toBe('open');
});

test('a connection whose answer takes longer than keepAliveTimeoutMs is not idle', async () => {
  let answerLate = () => {};
  const site = await startOrigin((request, response) => {
    if (request.url === '/late') answerLate = () => response.end('late');
    else response.end('now');
  });
  const { port } = await startPlane({ blue: site.port, proxy: { keepAliveTimeoutMs: 150 } });
  const [slow, idle] = await Promise.all([rawClient(port), rawClient(port)]);
  slow.send(get('/late'));
  idle.send(get('/now'));
  expect((await idle.answer()).body).toBe('now');
  expect(await idle.untilGone()).toBe('ended');
  answerLate();
  expect((await slow.answer()).body).toBe('late');
});
