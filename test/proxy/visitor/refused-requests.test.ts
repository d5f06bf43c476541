import { expect, test } from 'vitest';
import { startEcho, startPlane } from '../../support/plane.ts';
import { values } from '../../support/raw-answers.ts';
import { ask, chunk, get, head, rawClient } from '../../support/raw-http.ts';

const HOST = 'Host: site.test';

/** A request that somebody hides in the body of another. */
const SMUGGLED = get('/smuggled');

const POST = 'POST /';
const CHUNKED = 'Transfer-Encoding: chunked';
const LENGTH_3 = 'Content-Length: 3';

/** What it is, its bytes, and the status. None of these may reach the site. */
const NOT_HTTP: [string, string, number][] = [
  ['both Transfer-Encoding and Content-Length', post(CHUNKED, 'Content-Length: 6'), 400],
  ['both, the other way round', post('Content-Length: 6', CHUNKED), 400],
  ['two different Content-Length fields', post('Content-Length: 6', 'Content-Length: 5'), 400],
  ['the same Content-Length twice', post('Content-Length: 6', 'Content-Length: 6'), 400],
  ['a list as Content-Length', post('Content-Length: 6, 6'), 400],
  ['a signed Content-Length', post('Content-Length: +6'), 400],
  ['a negative Content-Length', post('Content-Length: -6'), 400],
  ['a hexadecimal Content-Length', post('Content-Length: 0x6'), 400],
  ['a Content-Length that is no number', post('Content-Length: six'), 400],
  ['an empty Content-Length', post('Content-Length:'), 400],
  ['a Content-Length beyond 64 bits', post('Content-Length: 99999999999999999999'), 400],
  ['a transfer coding that is not chunked', post('Transfer-Encoding: identity'), 501],
  ['a coding before chunked', post('Transfer-Encoding: gzip, chunked'), 501],
  ['chunked twice', post('Transfer-Encoding: chunked, chunked'), 400],
  ['chunked in two fields', post(CHUNKED, CHUNKED), 400],
  ['chunked before another coding', post('Transfer-Encoding: chunked, identity'), 400],
  ['a coding that only begins like chunked', post('Transfer-Encoding: chunkedx'), 501],
  ['a coding with a vertical tab', post('Transfer-Encoding: \x0bchunked'), 400],
  ['Transfer-Encoding in HTTP/1.0', head('POST / HTTP/1.0', HOST, CHUNKED) + chunk(''), 400],
  ['a space before a colon', post('Transfer-Encoding : chunked'), 400],
  ['a bare LF after the request line', `GET / HTTP/1.1\n${HOST}\r\n\r\n`, 400],
  ['a bare LF after a field', `GET / HTTP/1.1\r\n${HOST}\nX-A: 1\r\n\r\n`, 400],
  ['a bare LF as the head’s end', `GET / HTTP/1.1\r\n${HOST}\r\n\n`, 400],
  ['a bare CR in a value', get('/', 'X-A: 1\rX-B: 2'), 400],
  ['a folded field', get('/', 'X-A: 1\r\n folded'), 400],
  ['a field folded by a tab', get('/', 'X-A: 1\r\n\tfolded'), 400],
  ['a fold before the first field', `GET / HTTP/1.1\r\n ${HOST}\r\n\r\n`, 400],
  ['a null byte in a value', get('/', 'X-A: 1\x002'), 400],
  ['a null byte in a name', get('/', 'X\x00A: 1'), 400],
  ['a null byte in the target', get('/a\x00b'), 400],
  ['a target with bytes beyond ASCII', get('/caf\xc3\xa9'), 400],
  ['a space in the target', get('/a b'), 400],
  ['a field without a colon', get('/', 'X-A'), 400],
  ['a field without a name', get('/', ': 1'), 400],
  ['a name with a bracket', get('/', 'X(A): 1'), 400],
  ['no Host', head('GET /', 'X-A: 1'), 400],
  ['two different Host fields', get('/', 'Host: other.test'), 400],
  ['the same Host twice', get('/', HOST), 400],
  ['two Host fields in HTTP/1.0', head('GET / HTTP/1.0', HOST, HOST), 400],
  ['a Host that is a path', head('GET /', 'Host: site.test/evil'), 400],
  ['a Host with user information', head('GET /', 'Host: site.test@evil.test'), 400],
  ['a list as Host', head('GET /', 'Host: site.test, evil.test'), 400],
  ['a Host with spaces', head('GET /', 'Host: site.test evil.test'), 400],
  ['TRACE', head('TRACE /', HOST), 405],
  ['an unknown method', head('GEX /', HOST), 400],
  ['a method in lower case', head('get /', HOST), 400],
  ['a newer HTTP', head('GET / HTTP/3.0', HOST), 400],
  ['an HTTP/2 without its framing', head('GET / HTTP/2.0', HOST), 400],
  ['RTSP', head('GET / RTSP/1.0', HOST), 400],
  ['RTSP with a body', `${head('POST / RTSP/1.0', HOST, LENGTH_3)}abc`, 400],
  [
    'RTSP that asks about its body',
    `${head('POST / RTSP/1.0', HOST, LENGTH_3, 'Expect: 100-continue')}abc`,
    400,
  ],
  ['a method of RTSP', head('DESCRIBE / RTSP/1.0', HOST), 400],
  ['a method of Icecast', head('SOURCE / ICE/1.0', HOST), 400],
  ['a method of Icecast as HTTP', head('SOURCE / HTTP/1.1', HOST), 400],
  [
    'RTSP that wants a WebSocket',
    head('GET / RTSP/1.0', HOST, 'Connection: Upgrade', 'Upgrade: websocket'),
    400,
  ],
  ['an older HTTP', head('GET / HTTP/0.9', HOST), 400],
  ['a line without a version', `GET /\r\n${HOST}\r\n\r\n`, 400],
  ['a TLS greeting', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['a tunnel', head('CONNECT site.test:443', 'Host: site.test:443'), 400],
  ['the target * of a GET', get('*'), 400],
  ['a target without a slash', get('index.html'), 400],
  ['an absolute target with a port too large', get('http://a:99999/'), 400],
  ['an absolute target with half a bracket', get('http://['), 400],
  ['an absolute target without a host', get('http:///x'), 400],
  ['an absolute target with user information', get('http://user@site.test/'), 400],
  ['an absolute target of another scheme', get('ftp://site.test/'), 400],
];

function post(...fields: string[]): string {
  return `${head(POST, HOST, ...fields)}0\r\n\r\n${SMUGGLED}`;
}

test.for(NOT_HTTP)(
  'refused, the connection closed, and not a byte of it for the site: %s',
  async ([, bytes, status]) => {
    const site = await startEcho();
    const { port } = await startPlane({ blue: site.port });
    const client = await rawClient(port);
    client.send(bytes);
    const answer = await client.answer();
    expect(answer.status).toBe(status);
    expect(values(answer.fields, 'connection')).toEqual(['close']);
    expect(await client.untilGone()).toBe('ended');
    expect((await client.answers(1)).length).toBe(1);
    expect(site.received()).toBe('');
    // The worker lives on.
    expect((await ask(port, get())).status).toBe(200);
  },
);

test('a request that follows a refused one on its connection is not forwarded either', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  // A connection to the site that is there already, so that nothing has to wait for one.
  expect((await ask(port, get())).status).toBe(200);
  const client = await rawClient(port);
  client.send(get('/first', HOST) + get('/second'));
  expect((await client.answer()).status).toBe(400);
  expect(await client.untilGone()).toBe('ended');
  expect((await ask(port, get('/third'))).status).toBe(200);
  expect(site.received()).not.toContain('second');
});

test('RTSP behind a good request is refused in its turn', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(get('/good') + head('GET /rtsp RTSP/1.0', HOST) + get('/behind'));
  const answers = await client.answers(2);
  expect(answers.map(({ status }) => status)).toEqual([200, 400]);
  expect(await client.untilGone()).toBe('ended');
  expect(site.received()).not.toMatch(/rtsp|behind/);
});

/** The head is right, and the body turns out not to be. */
const BAD_CHUNKS: [string, string][] = [
  ['a size that is no number', `x\r\nabc\r\n${chunk('')}`],
  ['a size with a prefix', `0x3\r\nabc\r\n${chunk('')}`],
  ['a signed size', `+3\r\nabc\r\n${chunk('')}`],
  ['a negative size', `-3\r\nabc\r\n${chunk('')}`],
  ['a size beyond 64 bits', `fffffffffffffffff\r\nabc\r\n${chunk('')}`],
  ['a size with spaces before it', `  3\r\nabc\r\n${chunk('')}`],
  ['an empty size', `\r\nabc\r\n${chunk('')}`],
  ['a bare LF after a size', `3\nabc\r\n${chunk('')}`],
  ['more data than the size says', `3\r\nabcdef\r\n${chunk('')}`],
  ['a bare LF after data', `3\r\nabc\n${chunk('')}`],
  ['a bare LF after the last size', '3\r\nabc\r\n0\n\r\n'],
  ['a bare LF in an extension', `3;a\nb\r\nabc\r\n${chunk('')}`],
  ['a bare CR in an extension', `3;a\rb\r\nabc\r\n${chunk('')}`],
  ['a folded trailer', '3\r\nabc\r\n0\r\nX-A: 1\r\n folded\r\n\r\n'],
];

test.for(BAD_CHUNKS)(
  'a chunked body is broken off for the site too, and nothing after it is a request: %s',
  async ([, bytes]) => {
    const site = await startEcho();
    const { port } = await startPlane({ blue: site.port });
    const client = await rawClient(port);
    client.send(`${head(POST, HOST, CHUNKED)}${bytes}${SMUGGLED}`);
    expect((await client.answer()).status).toBe(400);
    expect(await client.untilGone()).toBe('ended');
    expect((await client.answers(1)).length).toBe(1);
    for (const wire of site.wires) await wire.untilGone();
    expect(site.received()).not.toContain('smuggled');
    expect(site.received()).not.toMatch(/\r\n0\r\n\r\n$/);
    expect((await ask(port, get())).status).toBe(200);
  },
);

test('a head that is too large is refused with 431 beyond headerBytes', async () => {
  const site = await startEcho();
  const { port } = await startPlane({
    blue: site.port,
    proxy: { limits: { headerBytes: 2048 } },
  });
  expect((await ask(port, get('/', `X-A: ${'a'.repeat(1500)}`))).status).toBe(200);
  const before = site.bytesRead();
  const client = await rawClient(port);
  client.send(get('/', `X-A: ${'a'.repeat(2100)}`));
  expect((await client.answer()).status).toBe(431);
  expect(await client.untilGone()).toBe('ended');
  expect((await ask(port, get(`/${'a'.repeat(2100)}`))).status).toBe(431);
  expect(site.bytesRead()).toBe(before);
});

test('a head that is too large is refused with 431 beyond headerCount fields, and none of them is dropped', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port, proxy: { limits: { headerCount: 10 } } });
  const fields = Array.from({ length: 10 }, (_, i) => `X-${i}: ${i}`);
  const allowed = await ask(port, get('/', ...fields.slice(1)));
  expect(allowed.status).toBe(200);
  expect(JSON.parse(allowed.body).rawHeaders).toEqual(expect.arrayContaining(['X-9', '9']));
  const before = site.bytesRead();
  const client = await rawClient(port);
  client.send(get('/', ...fields));
  const answer = await client.answer();
  expect(answer.status).toBe(431);
  expect(await client.untilGone()).toBe('ended');
  expect(site.bytesRead()).toBe(before);
});

test('a head that is too large counts fields that repeat one name', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  const cookies = Array.from({ length: 2000 }, () => 'Cookie:');
  expect((await ask(port, get('/', ...cookies))).status).toBe(431);
  expect(site.received()).toBe('');
});

test('GET http://a:99999/ and GET http://[ leave the worker alive', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  for (const target of ['http://a:99999/', 'http://[', 'http://[::1', 'http://%']) {
    expect((await ask(port, get(target))).status, target).toBeLessThan(500);
  }
  expect((await ask(port, get())).status).toBe(200);
});
