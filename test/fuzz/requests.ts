/** Requests of visitors, made from a grammar: good ones, and those that no site may ever see. */
import { bodyOf, type Random } from './random.ts';

export interface RequestPlan {
  /** In its target and in its body: whose it is. */
  marker: string;
  method: string;
  target: string;
  /** Names and values, without those of the framing. */
  fields: [string, string][];
  /** `null`: none. */
  body: string | null;
  isChunked: boolean;
  answerSeed: number;
  /** As HTTP/1.1. */
  bytes: Buffer;
  /** `bad`: no site may see it. */
  sort: 'good' | 'bad';
}

const CRLF = '\r\n';
const METHODS = ['GET', 'GET', 'GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS'];
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
const FIELDS: [string, string][] = [
  ['accept', '*/*'],
  ['accept-encoding', 'gzip, br'],
  ['constructor', 'x'],
  ['__proto__', 'y'],
  ['cookie', 'a=b; c=d'],
  ['x-empty', ''],
  ['te', 'trailers'],
  ['x-long', 'l'.repeat(3000)],
  ['cache-control', 'no-cache'],
];
const LENGTHS = [0, 1, 100, 5000, 70_000, 300_000];

export function isSafe(method: string): boolean {
  return SAFE.has(method);
}

export function planRequest(at: Random, marker: string, badShare: number): RequestPlan {
  const method = at.pick(METHODS);
  const answerSeed = at.seed();
  const query = at.chance(0.3) ? '?q=%20&r=/../' : '';
  const target = `/f/${marker}/${answerSeed}${query}`;
  const fields = FIELDS.filter(() => at.chance(0.2));
  const body = isSafe(method) ? null : bodyOf(marker, at.pick(LENGTHS));
  const isChunked = body !== null && at.chance(0.5);
  if (body !== null && at.chance(0.2)) fields.push(['expect', '100-continue']);
  const plan = { marker, method, target, fields, body, isChunked, answerSeed };
  if (at.chance(badShare)) return { ...plan, sort: 'bad', bytes: badBytes(plan, at) };
  return { ...plan, sort: 'good', bytes: goodBytes(plan, at) };
}

type Told = Omit<RequestPlan, 'bytes' | 'sort'>;

function head({ method, target, fields }: Told, more: string[]): string {
  const lines = fields.map(([name, value]) => `${name}: ${value}`);
  return (
    [`${method} ${target} HTTP/1.1`, 'Host: site.test', ...lines, ...more].join(CRLF) + CRLF + CRLF
  );
}

function goodBytes(told: Told, at: Random): Buffer {
  const { body, isChunked } = told;
  if (body === null) return latin1(head(told, []));
  if (!isChunked) return latin1(head(told, [`Content-Length: ${body.length}`]) + body);
  let text = head(told, ['Transfer-Encoding: chunked']);
  for (let from = 0; from < body.length; ) {
    const size = Math.min(body.length - from, 1 + at.below(at.pick([20, 30_000])));
    text +=
      size.toString(16) +
      (at.chance(0.1) ? ';x=y' : '') +
      CRLF +
      body.slice(from, from + size) +
      CRLF;
    from += size;
  }
  return latin1(`${text}0${CRLF}${at.chance(0.2) ? `X-Trailer: t${CRLF}` : ''}${CRLF}`);
}

/** What a smuggler would send, or what is no HTTP/1.1 at all. */
function badBytes(told: Told, at: Random): Buffer {
  const { method, target, marker } = told;
  const plain = { ...told, fields: [] };
  const first = (line: string, ...fields: string[]) =>
    [line, 'Host: site.test', ...fields].join(CRLF) + CRLF + CRLF;
  const body = bodyOf(marker, 30);
  return latin1(
    at.pick([
      `${method} ${target} HTTP/1.1${CRLF}${CRLF}`,
      head(plain, ['Host: other.test']),
      head(plain, ['Bad Name: x']),
      head(plain, ['X : y']),
      head(plain, ['X: a\0b']),
      head(plain, ['X: a\rb']),
      head(plain, ['X: a', ' folded']),
      head(plain, ['Content-Length: 30', 'Transfer-Encoding: chunked']) + body,
      head(plain, ['Content-Length: 30', 'Content-Length: 3']) + body,
      head(plain, ['Content-Length: +30']) + body,
      head(plain, ['Content-Length: 0x1e']) + body,
      head(plain, ['Transfer-Encoding: xchunked']) + body,
      head(plain, ['Transfer-Encoding: chunked, identity']) + body,
      first(`${method} ${target} HTTP/3.7`),
      first(`${method} ${target}`),
      first(`${method} ${target} x HTTP/1.1`),
      first(`TRACE ${target} HTTP/1.1`),
      first(`G@T ${target} HTTP/1.1`),
      first(`${method} ${target} HTTP/1.1`, `X: ${'x'.repeat(20_000)}`),
      first(`${method} ${target} HTTP/1.1`, ...Array.from({ length: 120 }, (_, n) => `X-${n}: y`)),
    ]),
  );
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
