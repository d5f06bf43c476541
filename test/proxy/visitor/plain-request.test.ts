import { createServer, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readPlainRequest } from '../../../src/proxy/visitor/plain-request.ts';
import { get, head } from '../../support/raw-http.ts';

test('a plain request is read with its method, target, fields and end', () => {
  const text =
    'GET /a?b=c HTTP/1.1\r\nHost: site\r\nX-A:  b \r\nCookie: a=1\r\ncookie: b=2\r\n\r\nrest';
  expect(readPlainRequest(text)).toEqual({
    method: 'GET',
    url: '/a?b=c',
    fields: ['Host', 'site', 'X-A', 'b', 'Cookie', 'a=1', 'cookie', 'b=2'],
    known: { host: 'site', connection: undefined, accept: undefined, cookie: 'a=1; b=2' },
    text: null,
    end: text.length - 4,
  });
});

test('a plain request that is cut anywhere is waited for', () => {
  const text = get('/a', 'Accept: text/html', 'Connection: keep-alive');
  for (let at = 1; at < text.length; at++) {
    expect(readPlainRequest(text.slice(0, at)), text.slice(0, at)).toBe('more');
  }
});

test.each([
  ['another method', head('POST /', 'Host: site')],
  ['an absolute target', head('GET http://site/', 'Host: site')],
  ['HTTP/1.0', head('GET / HTTP/1.0', 'Host: site')],
  ['another protocol', head('GET / RTSP/1.0', 'Host: site')],
  ['no Host', head('GET /')],
  ['an empty Host', head('GET /', 'Host:')],
  ['two Hosts', head('GET /', 'Host: site', 'host: site')],
  ['a length', get('/', 'Content-Length: 0')],
  ['a transfer coding', get('/', 'Transfer-Encoding: chunked')],
  ['a question about its body', get('/', 'Expect: 100-continue')],
  ['an offer of another protocol', get('/', 'Connection: Upgrade', 'Upgrade: websocket')],
  ['fields for one connection', get('/', 'Connection: keep-alive, X-A')],
  ['two Connection fields', get('/', 'Connection: close', 'Connection: keep-alive')],
  ['a folded line', 'GET / HTTP/1.1\r\nHost: site\r\nX-A: b\r\n c\r\n\r\n'],
  ['a space before a colon', 'GET / HTTP/1.1\r\nHost: site\r\nX-A : b\r\n\r\n'],
  ['a bare line feed', 'GET / HTTP/1.1\nHost: site\r\n\r\n'],
  ['an empty line before it', `\r\n${get('/')}`],
  ['a control character', 'GET / HTTP/1.1\r\nHost: site\r\nX-A: \0\r\n\r\n'],
])('a request with %s is not plain', (_what, text) => {
  expect(readPlainRequest(text)).toBe('other');
});

/** The first in three cases of four. */
function mostly(usual: string, ...others: string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );
}

/** How many mutated heads are compared; `FUZZ_HEADS=1000000` for the run by hand. */
const HEADS = Number(process.env.FUZZ_HEADS ?? 5000);

test('what is taken for a plain request means the same to Node’s parser', async () => {
  const plain = [
    'Accept: */*',
    'Connection: close',
    'Cookie: a=b; c=d',
    'X-A: b\xe4',
    'TE: trailers',
  ];
  const others = [
    'host: other',
    'Connection: keep-alive, x-a',
    'Connection: upgrade',
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'Upgrade: websocket',
    'Expect: 100-continue',
    'Keep-Alive: 5',
    'Proxy-Connection: close',
    'Trailer: x',
  ];
  const request = fc
    .tuple(
      fc.constantFrom('GET', 'GET', 'HEAD', 'POST', 'get'),
      fc.constantFrom('/', '/a?b=c#d', '/%00', '//x', '/"<>|^`{}', '*', 'http://site/', '/\xe4'),
      mostly('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'RTSP/1.0', 'HTTP/1.10'),
      fc
        .tuple(fc.subarray(plain), mostly('', ...others))
        .map(([lines, other]) => [...lines, ...(other === '' ? [] : [other])]),
      fc.constantFrom('', 'GET /next HTTP/1.1\r\n', 'hello'),
    )
    .map(([method, target, version, fields, rest]) => {
      const lines = [`${method} ${target} ${version}`, 'Host: site', ...fields, '', ''];
      return lines.join('\r\n') + rest;
    });
  const fault = fc.record({
    at: fc.nat(),
    drop: fc.nat(3),
    put: fc.constantFrom(
      '',
      ' ',
      '\t',
      '\r',
      '\n',
      '\r\n',
      '\0',
      ':',
      ',',
      '\x7f',
      '\xff',
      'a',
      '"',
    ),
  });
  const mutated = fc.tuple(request, fc.array(fault, { maxLength: 2 })).map(([text, faults]) =>
    faults.reduce((broken, { at, drop, put }) => {
      const place = at % broken.length;
      return broken.slice(0, place) + put + broken.slice(place + drop);
    }, text),
  );
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(mutated, async (text) => {
      const ours = readPlainRequest(text);
      if (typeof ours === 'string') return;
      taken++;
      const { method, url, fields, end } = ours;
      expect(await readByNode(text.slice(0, end))).toEqual({ method, url, fields, isBare: true });
    }),
    { numRuns: HEADS },
  );
  expect(taken).toBeGreaterThan(HEADS / 100);
}, 600_000);

/** The request that Node's server hands out for these bytes, or why there is none. */
function readByNode(text: string) {
  return new Promise((resolve) => {
    const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    const server = createServer({ insecureHTTPParser: false }, (request: IncomingMessage) => {
      const { method, url, rawHeaders: fields } = request;
      const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
      const isBare = length === undefined && coding === undefined && request.httpVersion === '1.1';
      resolve({ method, url, fields, isBare });
      socket.destroy();
    });
    server.on('upgrade', () => resolve('an upgrade'));
    server.on('clientError', (error) => resolve(error.message));
    server.emit('connection', socket);
    socket.push(Buffer.from(text, 'latin1'));
    setImmediate(() => setImmediate(() => resolve('nothing')));
  });
}
