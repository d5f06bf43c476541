import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import {
  type PlaneOptions,
  startEcho,
  startFixed,
  startOrigin,
  startPlane,
} from '../../support/plane.ts';
import { requestFields, values } from '../../support/raw-answers.ts';
import { http2Get, http2Request, http2Session, makeCertificate } from '../../support/tls.ts';

async function startSecure(options: PlaneOptions) {
  const tls = await makeCertificate();
  const running = await startPlane({ ...options, proxy: { ...options.proxy, tls } });
  return { ...running, session: await http2Session(running.port) };
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

test('a request over HTTP/2 gets its answer: status, fields, repeated ones apart, and the release', async () => {
  const site = await startFixed(
    'HTTP/1.1 201 Made\r\nX-Mine: yes\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n' +
      'Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nHTTP2-Settings: x\r\n' +
      'Content-Type: text/a\r\nContent-Type: text/b\r\nContent-Length: 2\r\n\r\nok',
  );
  const { session } = await startSecure({ blue: site.port });
  const answer = await http2Get(session, '/');
  expect(answer).toMatchObject({ status: 201, resetBy: 0 });
  expect(String(answer.body)).toBe('ok');
  expect(answer.headers).toMatchObject({
    'x-mine': 'yes',
    'set-cookie': ['a=1', 'b=2'],
    'x-slots-release': 'release-blue',
  });
  for (const name of ['connection', 'x-hop', 'keep-alive', 'http2-settings']) {
    expect(answer.headers).not.toHaveProperty(name);
  }
});

test('a request over HTTP/2 is HTTP/1.1 to the site: a Host, no pseudo-fields, the path byte for byte', async () => {
  const site = await startFixed(OK);
  const { session, port } = await startSecure({ blue: site.port, proxy: { trustedProxies: [] } });
  const path = '/a/%2e%2e//b?q=%20';
  await http2Get(session, path, {
    te: 'trailers',
    'x-mine': 'yes',
    'x-forwarded-for': '6.6.6.6',
  });
  expect(site.received()).toMatch(`GET ${path} HTTP/1.1\r\n`);
  const fields = requestFields(site.received());
  expect(values(fields, 'host')).toEqual([`localhost:${port}`]);
  expect(values(fields, 'x-mine')).toEqual(['yes']);
  expect(values(fields, 'x-forwarded-for')).toEqual(['127.0.0.1']);
  expect(values(fields, 'x-forwarded-proto')).toEqual(['https']);
  expect(values(fields, 'x-forwarded-host')).toEqual([`localhost:${port}`]);
  expect(values(fields, 'te')).toEqual([]);
  expect(values(fields, 'transfer-encoding')).toEqual([]);
  expect(fields.filter(([name]) => name.startsWith(':'))).toEqual([]);
});

test("a request over HTTP/2 has its cookie's crumbs put together", async () => {
  const site = await startFixed(OK);
  const { session } = await startSecure({ blue: site.port });
  await http2Get(session, '/', { cookie: ['a=1', 'b=2', 'c=3'] });
  expect(values(requestFields(site.received()), 'cookie')).toEqual(['a=1; b=2; c=3']);
});

test('a request over HTTP/2 may come in a hundred at once', async () => {
  const site = await startOrigin((request, response) => response.end(request.url));
  const { session } = await startSecure({ blue: site.port });
  const paths = Array.from({ length: 100 }, (_, i) => `/${i}`);
  const answers = await Promise.all(paths.map((path) => http2Get(session, path)));
  expect(answers.map(({ body }) => String(body))).toEqual(paths);
});

test.each(['HEAD', 'OPTIONS', 'DELETE'])('a request over HTTP/2 may be %s', async (method) => {
  const site = await startOrigin((request, response) => {
    response.setHeader('content-length', 5);
    response.end(request.method === 'HEAD' ? undefined : 'hello');
  });
  const { session } = await startSecure({ blue: site.port });
  const answer = await http2Get(session, '/', { ':method': method });
  expect(answer).toMatchObject({ status: 200, resetBy: 0 });
  expect(answer.headers['content-length']).toBe('5');
  expect(String(answer.body)).toBe(method === 'HEAD' ? '' : 'hello');
});

test.each([204, 304])('a request over HTTP/2 may be answered %i', async (status) => {
  const site = await startFixed(`HTTP/1.1 ${status} Nothing\r\nETag: "a"\r\n\r\n`);
  const { session } = await startSecure({ blue: site.port });
  const answer = await http2Get(session, '/');
  expect(answer).toMatchObject({ status, resetBy: 0 });
  expect(answer.headers.etag).toBe('"a"');
});

test('bodies: an upload arrives whole, with a length and without', async () => {
  const site = await startEcho();
  const { session } = await startSecure({ blue: site.port });
  for (const headers of [{}, { 'content-length': 9 }]) {
    const answer = await http2Request(session, { ':method': 'POST', ...headers }, (stream) => {
      stream.write('some ');
      stream.end('more');
    });
    expect(JSON.parse(String(answer.body)).body).toBe('some more');
  }
});

test('bodies: 16 MB go up and come down', async () => {
  const large = randomBytes(16 * 1024 * 1024);
  const site = await startOrigin((request, response) => void request.pipe(response));
  const { session } = await startSecure({ blue: site.port });
  const answer = await http2Request(session, { ':method': 'POST' }, (stream) => stream.end(large));
  expect(answer.body.equals(large)).toBe(true);
});

test('bodies trailers go both ways', async () => {
  const site = await startOrigin(async (request, response) => {
    await request.resume().toArray();
    response.writeHead(200, { trailer: 'X-Sum' });
    response.write('body');
    response.addTrailers({ 'X-Sum': JSON.stringify(request.trailers) });
    response.end();
  });
  const { session } = await startSecure({ blue: site.port });
  const head = { ':method': 'POST', trailer: 'x-check' };
  const stream = session.request(head, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-check': 'all there' }));
  const trailers = once(stream, 'trailers');
  stream.resume().end('data');
  expect((await trailers)[0]['x-sum']).toBe('{"x-check":"all there"}');
});

test('bodies trailers that HTTP/2 does not have end nothing', async () => {
  const site = await startFixed(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n' +
      'Connection: close\r\nTE: x\r\nX-Good: 1\r\n\r\n',
  );
  const { session } = await startSecure({ blue: site.port });
  const answer = await http2Get(session, '/');
  expect(String(answer.body)).toBe('ok');
  expect(answer.trailers).toMatchObject({ 'x-good': '1' });
});

test('bodies: a 103 comes before the answer, and 100 when it is asked for', async () => {
  const site = await startOrigin(async (request, response) => {
    response.writeEarlyHints({ link: '</a.css>; rel=preload' });
    await request.resume().toArray();
    response.end('ok');
  });
  const { session } = await startSecure({ blue: site.port });
  const hinted = await http2Get(session, '/');
  expect(hinted.informational).toMatchObject([{ ':status': 103, link: '</a.css>; rel=preload' }]);
  const stream = session.request(
    { ':method': 'POST', expect: '100-continue' },
    { endStream: false },
  );
  await once(stream, 'continue');
  stream.end('now');
  expect((await once(stream, 'response'))[0][':status']).toBe(200);
  stream.destroy();
});

test('bodies: an event stream flows at once', async () => {
  let push: (text: string) => void = () => {};
  const site = await startOrigin((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    push = (text) => response.write(text);
  });
  const { session } = await startSecure({ blue: site.port });
  const stream = session.request({ ':path': '/events' });
  expect((await once(stream, 'response'))[0][':status']).toBe(200);
  for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
    push(event);
    expect(String((await once(stream, 'data'))[0])).toBe(event);
  }
});

test('an answer of 204 with a length, which must not have one, is passed on without it', async () => {
  const site = await startFixed('HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nX-A: 1\r\n\r\n');
  const { port } = await startPlane({
    blue: site.port,
    proxy: { tls: await makeCertificate() },
  });
  const answer = await http2Get(await http2Session(port), '/');
  expect(answer).toMatchObject({ status: 204, resetBy: 0 });
  expect(answer.headers).toMatchObject({ 'x-a': '1' });
  expect(answer.headers).not.toHaveProperty('content-length');
});

test('an expectation over HTTP/2 that is not 100-continue is answered 417', async () => {
  const site = await startEcho();
  const { session } = await startSecure({ blue: site.port });
  for (const method of ['GET', 'POST']) {
    const answer = await http2Request(session, { ':path': '/', ':method': method, expect: 'more' });
    expect(answer.status).toBe(417);
  }
  expect(site.received()).toBe('');
});

test('TRACE is answered 405, and a scheme that is none of the web 400', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port, proxy: { tls: await makeCertificate() } });
  const session = await http2Session(port);
  const trace = await http2Request(session, { ':path': '/', ':method': 'TRACE' });
  expect(trace.status).toBe(405);
  expect(trace.headers.allow).toContain('GET');
  expect((await http2Request(session, { ':path': '/', ':scheme': 'ftp' })).status).toBe(400);
  expect(site.received()).toBe('');
});
