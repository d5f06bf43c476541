import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { proxySchema } from '../../../src/config/proxy-schema.ts';
import { objection } from '../../../src/proxy/request/admission.ts';

const LIMITS = proxySchema.parse({
  limits: { headerCount: 3, headerBytes: 2048, bodyBytes: 1000 },
}).limits;

interface Head {
  version?: [number, number];
  fields?: [string, string][];
  /** Came over HTTP/2. */
  isHttp2?: boolean;
  method?: string;
  scheme?: string;
}

/** What is said against a request with such a head: a status, or `null`. */
function statusOf(head: Head): number | null {
  const { version = [1, 1], fields = [], isHttp2 = false, method = 'GET', scheme } = head;
  const pseudo = isHttp2 ? { ':scheme': scheme ?? 'https' } : {};
  const request = {
    method,
    httpVersionMajor: version[0],
    httpVersionMinor: version[1],
    headers: {
      ...pseudo,
      ...Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value])),
    },
    ...(isHttp2 ? { stream: {} } : {}),
  };
  return objection(request as unknown as IncomingMessage, fields.flat(), LIMITS)?.status ?? null;
}

const FOUR: [string, string][] = Array.from({ length: 4 }, (_, i) => [`x-${i}`, '']);
const HTTP2 = { version: [2, 0] as [number, number], isHttp2: true };

test.for<[string, Head, number | null]>([
  ['an ordinary request is taken', {}, null],
  ['HTTP/1.0 is taken', { version: [1, 0] }, null],
  ['HTTP/2 is taken', HTTP2, null],
  ['HTTP/2 over a TLS that ends before us is taken', { ...HTTP2, scheme: 'http' }, null],
  ['HTTP/2 with a scheme that is none of the web is refused', { ...HTTP2, scheme: 'file' }, 400],
  ['TRACE is refused', { method: 'TRACE' }, 405],
  ['a request of 0.9 over an HTTP/1 parser is refused', { version: [0, 9] }, 400],
  ['a request of 2.0 over an HTTP/1 parser is refused', { version: [2, 0] }, 400],
  ['as many fields as are allowed are taken', { fields: FOUR.slice(1) }, null],
  ['one field more than are allowed is refused', { fields: FOUR }, 431],
  [
    'fields of too many bytes over HTTP/2 are refused',
    { ...HTTP2, fields: [['x', 'y'.repeat(2048)]] },
    431,
  ],
  [
    'fields of just enough bytes over HTTP/2 are taken',
    { ...HTTP2, fields: [['x', 'y'.repeat(2047)]] },
    null,
  ],
  ['a chunked body is taken', { fields: [['Transfer-Encoding', 'Chunked']] }, null],
  [
    'a chunked body of HTTP/1.0 is refused',
    { version: [1, 0], fields: [['Transfer-Encoding', 'chunked']] },
    400,
  ],
  ['another transfer coding is refused', { fields: [['Transfer-Encoding', 'gzip, chunked']] }, 501],
  ['a body of the greatest length is taken', { fields: [['Content-Length', '1000']] }, null],
  ['a body that is too long is refused', { fields: [['Content-Length', '1001']] }, 413],
])('%s', ([, head, expected]) => {
  expect(statusOf(head)).toBe(expected);
});

test('a body of any length is taken where there is no limit', () => {
  const request = {
    httpVersionMajor: 1,
    httpVersionMinor: 1,
    headers: { 'content-length': '9e9' },
  };
  const limits = { ...LIMITS, bodyBytes: 0 };
  expect(objection(request as unknown as IncomingMessage, [], limits)).toBeNull();
});
