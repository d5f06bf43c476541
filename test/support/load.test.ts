import { createServer, type RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { freePorts } from './free-ports.ts';
import { load, loadOrigin, serve } from './load/serve.ts';
import type { LoadOptions } from './load.ts';

const good: RequestListener = (_request, response) => response.end('good');

/** Each of the ways in which an answer can go wrong, and what the list of failures says. */
const WRONG: [name: string, answer: RequestListener, says: RegExp][] = [
  [
    'a reset before the head',
    (_, res) => void (res.socket as Socket).resetAndDestroy(),
    /ECONNRESET/,
  ],
  ['a close before the head', (_, res) => void res.socket?.destroy(), /ECONNRESET/],
  [
    'a body cut short of its length',
    (_, res) => {
      res.writeHead(200, { 'content-length': 10 }).write('half');
      setTimeout(() => res.socket?.destroy(), 5);
    },
    /truncated: .* at byte 4 of 10/,
  ],
  [
    'chunks without an end',
    (_, res) => {
      res.writeHead(200).write('half');
      setTimeout(() => res.socket?.end(), 5);
    },
    /truncated: .* at byte 4/,
  ],
  [
    'a body whose end nobody can tell',
    (_, res) => void res.socket?.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf'),
    /no content-length and not chunked/,
  ],
  ['no answer', () => {}, /hung: not finished within 0.2 s/],
  [
    'a body that stands still',
    (_, res) => void res.writeHead(200, { 'content-length': 10 }).write('half'),
    /hung/,
  ],
  ['status 500', (_, res) => void res.writeHead(500).end('broken'), /status 500 "broken"/],
  ['status 404', (_, res) => void res.writeHead(404).end(), /status 404/],
  ['a redirect', (_, res) => void res.writeHead(302, { location: '/' }).end(), /status 302/],
];

test.each(WRONG)('pages: %s fails every request of every kind', async (_name, answer, says) => {
  const result = await load(answer, { keepAlive: 1, fresh: 1, slow: 1, slowPath: '/slow' }, 6);
  expect(result.failed).toBe(result.requests);
  expect(result.requests).toBeGreaterThanOrEqual(6);
  for (const failure of result.failures) expect(failure).toMatch(says);
  expect(result.failures[0]).toMatch(/^(keep-alive|fresh|slow) GET \/\w*: .* after \d+ ms$/);
});

test('pages: exactly the bad ones among good ones are counted', async () => {
  let bad = 0;
  let total = 0;
  const result = await load(
    (request, response) => {
      if (++total % 7 !== 0) return good(request, response);
      const [, answer] = WRONG[bad++ % WRONG.length] as (typeof WRONG)[number];
      return answer(request, response);
    },
    { keepAlive: 3, fresh: 3 },
    300,
  );
  expect(bad).toBeGreaterThan(40);
  expect(result.failed).toBe(bad);
  expect(result.requests).toBe(total);
  expect(result.failures).toHaveLength(20);
  const { 'keep-alive': kept, fresh } = result.byKind;
  expect(kept.requests + fresh.requests).toBe(total);
  expect(kept.failed + fresh.failed).toBe(bad);
});

test('pages: a refused connection fails', async () => {
  const [port] = await freePorts(1);
  const result = await loadOrigin(`http://127.0.0.1:${port}`, { keepAlive: 1, fresh: 1 });
  expect(result.failed).toBe(result.requests);
  expect(result.failures[0]).toMatch(/ECONNREFUSED/);
});

test('pages: an answer that the caller does not like fails, and a status it allows does not', async () => {
  const complain = await load(good, {
    keepAlive: 1,
    complain: (_path, { body }) => (body === 'good' ? 'too good' : null),
  });
  expect(complain.failed).toBe(complain.requests);
  expect(complain.failures[0]).toMatch(/too good/);

  const allowed = await load((_, response) => response.writeHead(503).end(), {
    keepAlive: 1,
    allow: (status) => status === 503,
  });
  expect(allowed.failed).toBe(0);
});

test('pages: stopping lets running requests end, and counts them', async () => {
  const result = await load(
    (_request, response) => void setTimeout(() => response.end('late'), 150),
    { keepAlive: 2, slow: 2 },
    4,
  );
  expect(result).toMatchObject({ requests: 4, failed: 0 });
  expect(result.slowestMs).toBeGreaterThanOrEqual(140);
});

test('pages answers are counted by release', async () => {
  const result = await load(
    (_request, response) => response.writeHead(200, { 'x-slots-release': 'r1' }).end(),
    { keepAlive: 1, fresh: 1 },
  );
  expect(result.releases).toEqual({ r1: result.requests });
});

/** Numbers the connections, and notes on which of them each request came. */
async function connections(headers: Record<string, string>, options: LoadOptions) {
  const seen: number[] = [];
  const ids = new WeakMap<object, number>();
  let next = 0;
  const server = createServer((request, response) => {
    seen.push(ids.get(request.socket) as number);
    response.writeHead(200, headers).end('good');
  }).on('connection', (socket) => ids.set(socket, next++));
  const result = await loadOrigin(await serve(server), options, 10);
  expect(result.failed).toBe(0);
  return { seen, opened: next, requests: result.requests };
}

test('connections: a keep-alive client keeps to one', async () => {
  const { opened } = await connections({}, { keepAlive: 1 });
  expect(opened).toBe(1);
});

test('connections: a keep-alive client does not use one again that the server said it closes', async () => {
  const { seen, opened, requests } = await connections({ connection: 'close' }, { keepAlive: 1 });
  expect(opened).toBe(requests);
  expect(new Set(seen).size).toBe(requests);
});

test('connections: a fresh client opens one for each request', async () => {
  const { opened, requests } = await connections({}, { fresh: 1 });
  expect(opened).toBe(requests);
});

test('connections: a request whose connection breaks is not sent again', async () => {
  let received = 0;
  const result = await load(
    (request, response) => {
      received++;
      if (received % 3 === 0) request.socket.destroy();
      else response.end('good');
    },
    { keepAlive: 1 },
    12,
  );
  expect(received).toBe(result.requests);
  expect(result.failed).toBe(Math.floor(received / 3));
});
