import { randomBytes } from 'node:crypto';
import zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { createGzip } from '../../../src/proxy/compress/gzip-context.ts';

const MOST_BYTES = 65_536;

const bodies: [string, Buffer][] = [
  ['a small text', Buffer.from('words of a page '.repeat(64))],
  ['what cannot be compressed, as long as it may be', randomBytes(MOST_BYTES)],
  ['what is longer than that', randomBytes(3 * MOST_BYTES)],
  ['nothing', Buffer.alloc(0)],
  ['zeros', Buffer.alloc(MOST_BYTES)],
];

test('bodies by one context come out as they went in, and none has a part of the one before', () => {
  const gzip = createGzip(2, MOST_BYTES);
  const made = [...bodies, ...bodies].map(([name, body]) => [name, body, gzip(body)] as const);
  for (const [name, body, bytes] of made) {
    expect(zlib.gunzipSync(bytes).equals(body), name).toBe(true);
  }
});

test('a body by one context is byte for byte that by a context of its own', () => {
  const gzip = createGzip(2, MOST_BYTES);
  for (const [name, body] of bodies) {
    expect(gzip(body).equals(zlib.gzipSync(body, { level: 2 })), name).toBe(true);
  }
});

test.each<[string, object]>([
  ['has no handle', {}],
  [
    'throws',
    {
      _handle: {
        writeSync: () => {
          throw new TypeError('another signature');
        },
        reset: () => {},
      },
      _writeState: new Uint32Array(2),
    },
  ],
  [
    'writes something else',
    { _handle: { writeSync: () => {}, reset: () => {} }, _writeState: new Uint32Array([1, 0]) },
  ],
])('bodies are compressed by a Node whose stream %s', (_what, below) => {
  const gzip = createGzip(2, MOST_BYTES, below);
  for (const [name, body] of bodies) {
    expect(zlib.gunzipSync(gzip(body)).equals(body), name).toBe(true);
  }
});

test('one context compresses every body that is short enough', () => {
  const below = zlib.createGzip({ level: 2 }) as unknown as {
    _handle: { writeSync(...args: unknown[]): void };
  };
  const { _handle: handle } = below;
  const writeSync = handle.writeSync.bind(handle);
  let calls = 0;
  handle.writeSync = (...args) => {
    calls++;
    writeSync(...args);
  };
  const gzip = createGzip(2, MOST_BYTES, below as never);
  const before = calls;
  for (const [, body] of bodies) gzip(body);
  expect(calls - before).toBe(bodies.length - 1);
});
