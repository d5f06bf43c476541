import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { type PlaneOptions, startOrigin, startPlane } from '../../support/plane.ts';
import { ask, get, head, rawClient } from '../../support/raw-http.ts';
import { http2Get, http2Session, makeCertificate } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** A site that counts what it is asked, behind a plane with a cache. */
async function startCached(handler: Handler, options: PlaneOptions = {}) {
  const asked: string[] = [];
  const site = await startOrigin((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    handler(request, response, asked.length);
  });
  const running = await startPlane({ blue: site.port, green: site.port, cache: {}, ...options });
  return { ...running, asked, site };
}

function field(answer: { fields: [string, string][] }, name: string): string | undefined {
  return answer.fields.find(([known]) => known.toLowerCase() === name)?.[1];
}

const maxAge =
  (seconds: number): Handler =>
  (_request, response, count) => {
    response.setHeader('Cache-Control', `public, max-age=${seconds}`);
    response.setHeader('ETag', '"one"');
    response.end(`answer ${count}`);
  };

test('an answer that may be kept is asked for once, and says how it was answered', async () => {
  const { port, asked } = await startCached(maxAge(60));
  const first = await ask(port, get('/a'));
  const second = await ask(port, get('/a'));
  expect([first.body, second.body]).toEqual(['answer 1', 'answer 1']);
  expect(asked).toEqual(['GET /a']);
  expect(field(first, 'cache-status')).toMatch(/^slots; fwd=uri-miss; fwd-status=200; stored$/);
  expect(field(second, 'cache-status')).toMatch(/^slots; hit; ttl=\d+$/);
  expect(Number(field(second, 'age'))).toBeLessThan(60);
});

test('a visitor who asks for the end of the connection gets it with every answer from memory', async () => {
  const { port, asked } = await startCached(maxAge(60));
  for (let times = 1; times <= 5; times++) {
    const client = await rawClient(port);
    client.send(get('/a', 'Connection: close'));
    const [answer] = await client.answers(1);
    expect(field(answer as never, 'connection'), `answer ${times}`).toBe('close');
    await until(() => client.socket.closed, `the end after answer ${times}`);
  }
  expect(asked).toEqual(['GET /a']);
});

test('a known head is answered over and over on one connection, in order with other requests', async () => {
  const { port, asked, plane } = await startCached((request, response, count) => {
    if (request.url === '/page') response.setHeader('Cache-Control', 's-maxage=60');
    response.end(`${request.url} ${count}`);
  });
  await ask(port, get('/page'));
  await ask(port, get('/page'));
  const client = await rawClient(port);
  client.send(get('/page') + get('/other') + get('/page').repeat(500));
  const answers = await client.answers(502);
  expect(answers.slice(0, 3).map(({ body }) => body)).toEqual(['/page 1', '/other 2', '/page 1']);
  expect(answers).toHaveLength(502);
  expect(asked).toEqual(['GET /page', 'GET /other']);
  expect(plane.cache?.counts.hit).toBe(502);
});

test('a large answer from memory reaches a visitor who reads slowly, whole', async () => {
  const body = 'x'.repeat(900_000);
  const { port, plane } = await startCached((_request, response) => {
    response.setHeader('Cache-Control', 's-maxage=60');
    response.end(body);
  });
  await ask(port, get('/big'));
  await ask(port, get('/big'));
  const visitors: Socket[] = [];
  plane.server.on('connection', (socket: Socket) => visitors.push(socket));
  const client = await rawClient(port);
  client.socket.pause();
  client.send(get('/big').repeat(40));
  // More than the kernel takes: the worker waits for the visitor.
  await until(() => visitors.some((socket) => socket.writableNeedDrain), 'a worker that waits');
  client.socket.resume();
  const wanted = 40 * body.length;
  await until(() => client.socket.bytesRead >= wanted, 'all of it');
  expect(client.state()).toBe('open');
});

test('a flip forgets nothing and gives nothing of the other release', async () => {
  const { port, asked, assign } = await startCached((_request, response, count) => {
    response.setHeader('Cache-Control', 's-maxage=60');
    response.end(`answer ${count}`);
  });
  const bodies = async () => (await ask(port, get('/'))).body;
  expect([await bodies(), await bodies()]).toEqual(['answer 1', 'answer 1']);
  assign({ active: 'green' });
  expect([await bodies(), await bodies()]).toEqual(['answer 2', 'answer 2']);
  // A rollback finds its answers still there.
  assign({ active: 'blue' });
  expect(await bodies()).toBe('answer 1');
  expect(asked).toHaveLength(2);
});

test('an answer that was asked for before a flip is not kept for the release after it', async () => {
  let finish = () => {};
  const { port, assign, asked } = await startCached((_request, response, count) => {
    response.setHeader('Cache-Control', 's-maxage=60');
    if (count === 1) finish = () => response.end('old');
    else response.end('new');
  });
  const first = ask(port, get('/'));
  await until(() => asked.length === 1, 'the first request');
  assign({ active: 'green' });
  finish();
  expect((await first).body).toBe('old');
  expect((await ask(port, get('/'))).body).toBe('new');
  expect((await ask(port, get('/'))).body).toBe('new');
  expect(asked).toHaveLength(2);
});

test('a file of the release is kept until the flip, whatever it says of its age', async () => {
  const { port, asked, plane } = await startCached(
    (_request, response) => {
      response.setHeader('Cache-Control', 'public, max-age=0');
      response.end('file');
    },
    { files: ['/logo.svg'] },
  );
  for (let i = 0; i < 3; i++) await ask(port, get('/logo.svg'));
  expect(asked).toEqual(['GET /logo.svg']);
  const answer = await ask(port, get('/logo.svg'));
  expect(field(answer, 'cache-control')).toBe('public, max-age=0');
  expect(field(answer, 'age')).toBe('0');
  expect(plane.cache?.counts.entries).toBe(1);
});

test('a file that a site may show to one visitor only is not kept for the others', async () => {
  const { port, asked } = await startCached(
    (request, response) => {
      response.statusCode = request.headers.cookie ? 200 : 403;
      response.end('secret');
    },
    { files: ['/report.pdf'] },
  );
  expect((await ask(port, get('/report.pdf', 'Cookie: session=1'))).status).toBe(200);
  expect((await ask(port, get('/report.pdf'))).status).toBe(403);
  expect(asked).toHaveLength(2);
});

test.each([
  ['a cookie for one visitor', { 'Set-Cookie': 'a=b', 'Cache-Control': 's-maxage=60' }, []],
  ['private', { 'Cache-Control': 'private, max-age=60' }, []],
  ['no-store', { 'Cache-Control': 'no-store' }, []],
  ['Vary: *', { 'Cache-Control': 's-maxage=60', Vary: '*' }, []],
  ['nothing about caches', {}, []],
  ['max-age to a signed-in visitor', { 'Cache-Control': 'max-age=60' }, ['Authorization: Basic a']],
] as [string, Record<string, string>, string[]][])(
  'an answer with %s is asked for each time',
  async (_what, fields, request) => {
    const { port, asked } = await startCached((_request, response) => {
      for (const [name, value] of Object.entries(fields)) response.setHeader(name, value);
      response.end('x');
    });
    await ask(port, get('/', ...request));
    await ask(port, get('/', ...request));
    expect(asked).toHaveLength(2);
  },
);

test('two signed-in visitors never get each other’s page, in whichever order they come', async () => {
  const { port } = await startCached(
    (request, response) => {
      const user = request.headers.cookie ?? 'nobody';
      if (request.url === '/vary') response.setHeader('Vary', 'Cookie');
      if (request.url === '/vary') response.setHeader('Cache-Control', 's-maxage=60');
      response.end(`page of ${user}`);
    },
    { cache: { untilRelease: ['/**'] } },
  );
  const visitors = [[], ['Cookie: user=a'], ['Cookie: user=b']];
  for (const path of ['/vary', '/plain']) {
    for (const order of [
      [0, 1, 2, 0, 1, 2],
      [2, 1, 0, 0, 1, 2],
      [1, 2, 1, 0, 2, 0],
    ]) {
      for (const who of order) {
        const fields = visitors[who] as string[];
        const { body } = await ask(port, get(path, ...fields));
        expect(body).toBe(`page of ${fields[0]?.slice(8) ?? 'nobody'}`);
      }
    }
  }
});

test('pages under untilRelease are kept for visitors without cookies, and for those who are only counted', async () => {
  const { port, asked } = await startCached((_request, response) => response.end('page'), {
    cache: { untilRelease: ['/blog/**'], except: ['/blog/now'] },
  });
  await ask(port, get('/blog/a?utm_source=mail'));
  await ask(port, get('/blog/a', 'Cookie: _ga=GA1.1'));
  await ask(port, get('/blog/a', 'Cookie: session=1'));
  for (let i = 0; i < 2; i++) await ask(port, get('/blog/now'));
  expect(asked).toEqual([
    'GET /blog/a?utm_source=mail',
    'GET /blog/a',
    'GET /blog/now',
    'GET /blog/now',
  ]);
});

test('two hundred visitors who ask for one cold page are one request to the site', async () => {
  let finish = () => {};
  const { port, asked, plane } = await startCached((_request, response) => {
    response.setHeader('Cache-Control', 's-maxage=60');
    finish = () => response.end('cold');
  });
  const clients = await Promise.all(Array.from({ length: 200 }, () => rawClient(port)));
  for (const client of clients) client.send(get('/cold'));
  await until(() => plane.busySockets().size === 200, 'all to wait');
  finish();
  const answers = await Promise.all(clients.map((client) => client.answer()));
  expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(['cold']));
  expect(asked).toEqual(['GET /cold']);
});

test('visitors who wait for an answer that may not be kept are sent on at once, and nobody waits again', async () => {
  const held: (() => void)[] = [];
  const { port, asked, plane } = await startCached((_request, response, count) => {
    held.push(() => response.end(`own ${count}`));
  });
  const clients = await Promise.all(Array.from({ length: 20 }, () => rawClient(port)));
  for (const client of clients) client.send(get('/own'));
  await until(() => plane.busySockets().size === 20, 'all to wait');
  expect(asked).toHaveLength(1);
  held[0]?.();
  await until(() => asked.length === 20, 'the others to be sent on');
  for (const end of held.slice(1)) end();
  const answers = await Promise.all(clients.map((client) => client.answer()));
  expect(new Set(answers.map(({ body }) => body)).size).toBe(20);
});

test('a visitor who waits for another’s answer and leaves is forgotten', async () => {
  let finish = () => {};
  const { port, plane, asked } = await startCached((_request, response) => {
    finish = () => response.end('x');
  });
  const first = ask(port, get('/'));
  await until(() => asked.length === 1, 'the first');
  const second = await rawClient(port);
  second.send(get('/'));
  await until(() => plane.busySockets().size === 2, 'the second to wait');
  second.socket.destroy();
  await until(() => plane.busySockets().size === 1, 'the second to be gone');
  finish();
  await first;
  expect(asked).toHaveLength(1);
});

test('a stored answer is compared with what the visitor has, and given in parts', async () => {
  const { port, asked } = await startCached(maxAge(60));
  await ask(port, get('/'));
  const same = await ask(port, get('/', 'If-None-Match: "one"'));
  expect([same.status, same.body]).toEqual([304, '']);
  const part = await ask(port, get('/', 'Range: bytes=0-3'));
  expect([part.status, part.body, field(part, 'content-range')]).toEqual([
    206,
    'answ',
    'bytes 0-3/8',
  ]);
  const none = await ask(port, get('/', 'Range: bytes=100-'));
  expect([none.status, field(none, 'content-range')]).toEqual([416, 'bytes */8']);
  const only = await ask(port, head('HEAD /', 'Host: site.test'), 'HEAD');
  expect([only.status, field(only, 'content-length')]).toEqual([200, '8']);
  expect(asked).toHaveLength(1);
});

test('what is to be kept is asked for whole, though its first visitor has it already', async () => {
  const conditions: (string | undefined)[] = [];
  const { port } = await startCached(
    (request, response) => {
      conditions.push(request.headers['if-none-match'] ?? request.headers['if-modified-since']);
      response.setHeader('ETag', '"one"');
      if (conditions.at(-1) !== undefined) response.writeHead(304).end();
      else response.end('the whole');
    },
    { files: ['/file.js'], cache: { untilRelease: ['/page'] } },
  );
  const since = `If-Modified-Since: ${new Date().toUTCString()}`;
  for (const [path, condition] of [
    ['/file.js', 'If-None-Match: "one"'],
    ['/page', since],
  ] as const) {
    expect((await ask(port, get(path, condition))).body).toBe('the whole');
    const later = await ask(port, get(path, condition));
    expect([later.status, field(later, 'cache-status')]).toEqual([
      304,
      expect.stringContaining('slots; hit'),
    ]);
    expect((await ask(port, get(path))).body).toBe('the whole');
  }
  expect(conditions).toEqual([undefined, undefined]);

  // Nobody knows whether these may be kept.
  expect((await ask(port, get('/other', 'If-None-Match: "one"'))).status).toBe(304);
  expect((await ask(port, get('/page?2', since, 'Cookie: session=1'))).status).toBe(304);
});

test('a stale answer is asked about, and is fresh again after a 304', async () => {
  const { port, asked, site } = await startCached((request, response) => {
    response.setHeader('Cache-Control', 'public, max-age=60, no-cache');
    response.setHeader('ETag', '"one"');
    response.statusCode = request.headers['if-none-match'] === '"one"' ? 304 : 200;
    response.end(response.statusCode === 200 ? 'body' : undefined);
  });
  for (let i = 0; i < 3; i++) expect((await ask(port, get('/'))).body).toBe('body');
  expect(asked).toHaveLength(3);
  expect(site.received().match(/If-None-Match: "one"/g)).toHaveLength(2);
  // A connection to the site outlives the answer that it was asked for.
  expect(site.wires).toHaveLength(1);
});

test('a 304 renews the fields of a stored answer, but for those that are about its body', async () => {
  const { port } = await startCached((_request, response, count) => {
    response.setHeader('Cache-Control', count === 1 ? 's-maxage=0' : 's-maxage=60');
    response.setHeader('ETag', '"one"');
    response.setHeader('Content-Type', count === 1 ? 'text/plain' : 'text/plain;charset=utf-8');
    response.setHeader('Content-MD5', count === 1 ? 'first' : 'second');
    if (count === 1) response.end('a');
    else response.writeHead(304).end();
  });
  await ask(port, get('/'));
  for (let i = 0; i < 2; i++) {
    const answer = await ask(port, get('/'));
    expect(answer.body).toBe('a');
    expect(field(answer, 'content-type')).toBe('text/plain;charset=utf-8');
    expect(field(answer, 'content-md5')).toBe('first');
  }
});

test('a 304 that names another strong tag renews nothing, and the next visitor gets what the site has', async () => {
  const { port, asked } = await startCached((_request, response, count) => {
    response.setHeader('Cache-Control', count === 1 ? 's-maxage=0' : 's-maxage=60');
    response.setHeader('ETag', count === 1 ? '"one"' : '"two"');
    if (count === 2) response.writeHead(304).end();
    else response.end(`answer ${count}`);
  });
  await ask(port, get('/'));
  const second = await ask(port, get('/'));
  expect([second.body, field(second, 'etag')]).toEqual(['answer 1', '"one"']);
  expect((await ask(port, get('/'))).body).toBe('answer 3');
  expect(asked).toHaveLength(3);
});

test('what is stored is given when the site fails, and says so', async () => {
  const { port, site } = await startCached((_request, response) => {
    response.setHeader('Cache-Control', 'public, max-age=0');
    response.end('stale');
  });
  await ask(port, get('/'));
  site.server.close();
  for (const { socket } of site.wires) socket.destroy();
  const answer = await ask(port, get('/'));
  expect([answer.status, answer.body]).toEqual([200, 'stale']);
  expect(field(answer, 'cache-status')).toContain('detail=STALE-IF-ERROR');
});

test('an answer within stale-while-revalidate is given at once and asked for anew', async () => {
  const { port, asked } = await startCached((_request, response, count) => {
    response.setHeader('Cache-Control', 'public, max-age=0, stale-while-revalidate=60');
    response.end(`answer ${count}`);
  });
  await ask(port, get('/'));
  expect((await ask(port, get('/'))).body).toBe('answer 1');
  await until(() => asked.length === 2, 'the question');
  await until(async () => (await ask(port, get('/'))).body !== 'answer 1', 'the new answer');
});

test('a POST that succeeds makes what is stored of its URL wrong', async () => {
  const { port, asked } = await startCached(maxAge(60));
  await ask(port, get('/'));
  await ask(port, head('POST /', 'Host: site.test', 'Content-Length: 0'));
  await ask(port, get('/'));
  expect(asked).toEqual(['GET /', 'POST /', 'GET /']);
});

test('visitors by HTTP/2 are answered from memory too', async () => {
  const tls = await makeCertificate();
  const { port, asked } = await startCached(maxAge(60), { proxy: { tls } });
  const session = await http2Session(port);
  const first = await http2Get(session, '/');
  const second = await http2Get(session, '/');
  expect([first.body, second.body].map(String)).toEqual(['answer 1', 'answer 1']);
  expect(asked).toHaveLength(1);
});

test('what a trusted proxy says of its visitor tells answers apart', async () => {
  const { port, asked } = await startCached(maxAge(60));
  await ask(port, get('/', 'X-Forwarded-Host: a.example'));
  await ask(port, get('/', 'X-Forwarded-Host: b.example'));
  await ask(port, get('/', 'X-Forwarded-Proto: https'));
  await ask(port, get('/', 'X-Forwarded-Prefix: /x'));
  expect(asked).toHaveLength(4);
});

test.each([
  ['with its length', true],
  ['in chunks', false],
])('an answer %s that comes in many pieces is kept whole', async (_how, hasLength) => {
  const body = Array.from({ length: 40_000 }, (_, n) => `line ${n}\n`).join('');
  const { port, asked } = await startCached((_request, response) => {
    response.setHeader('Cache-Control', 's-maxage=60');
    if (hasLength) response.setHeader('Content-Length', body.length);
    response.write(body.slice(0, 100_000));
    setImmediate(() => response.end(body.slice(100_000)));
  });
  for (let i = 0; i < 3; i++) {
    const answer = await ask(port, get('/big'));
    expect(answer.body === body).toBe(true);
    await until(() => asked.length === 1, 'one request to the site');
  }
  expect(asked).toEqual(['GET /big']);
});

test('an answer larger than maxEntryBytes goes on to its visitor and is not kept', async () => {
  const { port, asked, plane } = await startCached(
    (_request, response) => {
      response.setHeader('Cache-Control', 's-maxage=60');
      response.write('x'.repeat(600));
      response.end('x'.repeat(600));
    },
    { cache: { maxEntryBytes: 1000 } },
  );
  for (let i = 0; i < 2; i++) expect((await ask(port, get('/'))).body).toHaveLength(1200);
  expect(asked).toHaveLength(2);
  expect(plane.cache?.counts.entries).toBe(0);
});

test('purging paths forgets these, and without any all', async () => {
  const { port, asked, plane } = await startCached(maxAge(60));
  for (const path of ['/a', '/a/b', '/c']) await ask(port, get(path));
  expect(plane.cache?.purge(['/a/**'])).toBe(1);
  expect(plane.cache?.purge([])).toBe(2);
  await ask(port, get('/c'));
  expect(asked).toHaveLength(4);
});

test('a URL whose answer could not be kept is looked at again two seconds later', async () => {
  let isKept = false;
  const { port, asked } = await startCached((_request, response) => {
    if (isKept) response.setHeader('Cache-Control', 's-maxage=60');
    response.end('page');
  });
  await ask(port, get('/'));
  isKept = true;
  const second = await ask(port, get('/'));
  expect(field(second, 'cache-status')).toBe('slots; fwd=uri-miss');
  const isHit = async () => field(await ask(port, get('/')), 'cache-status')?.includes('hit');
  await until(isHit, 'an answer from memory');
  const count = asked.length;
  await ask(port, get('/'));
  expect(asked).toHaveLength(count);
});

test('answers that are to be kept take no more memory than what is kept, and are counted as long as they come', async () => {
  const { port, asked } = await startCached(
    (request, response) => {
      response.setHeader('Cache-Control', 's-maxage=60');
      if (request.url === '/small') return response.end('x'.repeat(100));
      response.write('x'.repeat(6000));
      setImmediate(() => response.end('x'.repeat(6000)));
    },
    { cache: { maxBytes: 10_000 } },
  );
  for (let i = 0; i < 2; i++) expect((await ask(port, get('/big'))).body).toHaveLength(12_000);
  expect(asked).toHaveLength(2);
  for (let i = 0; i < 2; i++) await ask(port, get('/small'));
  expect(asked).toHaveLength(3);
});
