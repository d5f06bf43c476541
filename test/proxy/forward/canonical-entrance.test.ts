import { once } from 'node:events';
import { connect } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { hstsField } from '../../../src/config/tls-schema.ts';
import { isOtherName } from '../../../src/proxy/forward/canonical-entrance.ts';
import { startOrigin, startPlane } from '../../support/plane.ts';
import { http2Request, http2Session, makeCertificate } from '../../support/tls.ts';

/** The whole answer to one request on a connection of its own. */
async function ask(port: number, ...lines: string[]): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += chunk;
  });
  socket.write(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`);
  await once(socket, 'end');
  return text;
}

async function start(tls: object, headers: Record<string, string> = {}) {
  const certificate = await makeCertificate();
  const { port: blue } = await startOrigin((_request, response) => {
    response.writeHead(200, { 'cache-control': 'public, max-age=60', ...headers });
    response.end('page');
  });
  const proxy = { tls: { ...certificate, ...tls } };
  const { port } = await startPlane({ proxy, blue, cache: {} });
  return port;
}

test('other names of the site are sent to the canonical one, with their path and port', async () => {
  const port = await start({ canonicalHost: 'example.com' });
  const moved = await ask(port, 'GET /a?b=c HTTP/1.1', `Host: WWW.example.com:${port}`);
  expect(moved).toMatch(/^HTTP\/1\.1 308 /);
  expect(moved).toContain(`location: https://example.com:${port}/a?b=c\r\n`);
  const posted = await ask(port, 'POST /f HTTP/1.1', 'Host: www.example.com', 'Content-Length: 0');
  expect(posted).toContain('location: https://example.com/f\r\n');
  const ours = await ask(port, 'GET / HTTP/1.1', 'Host: example.com');
  expect(ours).toMatch(/^HTTP\/1\.1 200 /);
  const session = await http2Session(port);
  const authority = { ':path': '/a', ':authority': 'www.example.com' };
  expect(await http2Request(session, authority)).toMatchObject({
    status: 308,
    headers: { location: 'https://example.com/a' },
  });
});

test('a load balancer asks whether the machine is ready by any name, and is not redirected', async () => {
  const tls = { ...(await makeCertificate()), canonicalHost: 'example.com' };
  const fleet = { id: 'one', fenceMs: null, monotonic: false };
  const standing = { id: 'one', epoch: 7, release: 'r7', notReady: null };
  const { port } = await startPlane({ proxy: { tls }, fleet, standing });
  for (const host of ['lb.internal', 'www.example.com', '127.0.0.1']) {
    const answer = await ask(port, 'GET /.slots/ready HTTP/1.1', `Host: ${host}`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 .*"epoch":7,/s);
    // This one only Node reads.
    const post = await ask(
      port,
      'POST /.slots/ready HTTP/1.1',
      `Host: ${host}`,
      'Content-Length: 0',
    );
    expect(post).toMatch(/^HTTP\/1\.1 405 /);
  }
  const session = await http2Session(port);
  const authority = { ':path': '/.slots/ready', ':authority': 'lb.internal' };
  expect(await http2Request(session, authority)).toMatchObject({ status: 200 });
  const page = await ask(port, 'GET /.slots/other HTTP/1.1', 'Host: lb.internal');
  expect(page).toMatch(/^HTTP\/1\.1 308 /);
});

test('a worker that stops says with its redirect that the connection is over', async () => {
  const tls = { ...(await makeCertificate()), canonicalHost: 'example.com' };
  const { port, plane } = await startPlane({ proxy: { tls } });
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  onTestFinished(() => void socket.destroy());
  const moved = async (begin: string) => {
    socket.write(`${begin} HTTP/1.1\r\nHost: www.example.com\r\nContent-Length: 0\r\n\r\n`);
    const [bytes] = await once(socket, 'data');
    return String(bytes);
  };
  expect(await moved('GET /')).toMatch(/^HTTP\/1\.1 308 .*\nConnection: keep-alive\r\n/s);
  plane.stop();
  expect(await moved('POST /')).toMatch(/^HTTP\/1\.1 308 .*\nConnection: close\r\n/is);
});

test.each([
  ['example.com', false],
  ['www.example.com', true],
  ['127.0.0.1', false],
  ['[::1]', false],
  ['localhost', false],
  ['', false],
])('whether %s is another name: %s', (host, expected) => {
  expect(isOtherName(host, 'example.com')).toBe(expected);
});

test('HSTS is on answers of the site, from memory, and of the proxy itself', async () => {
  const port = await start({ hsts: { maxAgeS: 300, includeSubDomains: true } });
  const field = 'strict-transport-security: max-age=300; includeSubDomains\r\n';
  const first = await ask(port, 'GET / HTTP/1.1', 'Host: a');
  expect(first).toContain(field);
  const again = await ask(port, 'GET / HTTP/1.1', 'Host: a');
  expect(again).toContain('slots; hit');
  expect(again).toContain(field);
  const refused = await ask(port, 'TRACE / HTTP/1.1', 'Host: a');
  expect(refused).toMatch(/^HTTP\/1\.1 405 /);
  expect(refused).toContain(field);
});

test("the site's own HSTS stays, and without the key there is none", async () => {
  const port = await start({ hsts: true }, { 'Strict-Transport-Security': 'max-age=1' });
  const own = await ask(port, 'GET / HTTP/1.1', 'Host: a');
  expect(own.match(/strict-transport-security: .*/gi)).toEqual([
    'Strict-Transport-Security: max-age=1',
  ]);
  expect(await ask(await start({}), 'GET / HTTP/1.1', 'Host: a')).not.toMatch(/strict-transport/i);
});

test.each([
  [undefined, null],
  [false, null],
  [true, 'max-age=31536000'],
  [
    { maxAgeS: 63_072_000, includeSubDomains: true, preload: true },
    'max-age=63072000; includeSubDomains; preload',
  ],
] as const)('hsts: %j is the field %j', (hsts, expected) => {
  expect(hstsField(hsts === undefined ? undefined : { hsts })).toBe(expected);
});
