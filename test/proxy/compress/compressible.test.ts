import { expect, test } from 'vitest';
import { isCompressible, isCompressibleType } from '../../../src/proxy/compress/compressible.ts';

test.each([
  'text/html; charset=utf-8',
  'text/css',
  'TEXT/PLAIN',
  'text/x-component',
  'application/json',
  'application/json;charset=utf-8',
  'application/ld+json',
  'application/manifest+json',
  'application/javascript',
  'text/javascript',
  'application/xml',
  'application/rss+xml',
  'application/xhtml+xml',
  'application/x-ndjson',
  'image/svg+xml',
  'application/wasm',
  'font/ttf',
  'font/otf',
  'application/vnd.ms-fontobject',
  'image/x-icon',
])('%s is worth compressing', (type) => {
  expect(isCompressibleType(type)).toBe(true);
});

test.each([
  'text/event-stream',
  'text/event-stream; charset=utf-8',
  'image/png',
  'image/avif',
  'video/mp4',
  'font/woff2',
  'application/zip',
  'application/pdf',
  'application/octet-stream',
  'multipart/x-mixed-replace',
  '',
])('%s goes out as it is', (type) => {
  expect(isCompressibleType(type)).toBe(false);
});

const HTML = ['Content-Type', 'text/html'];

test.each<[string, number, string[], number, boolean]>([
  ['a page of 1 KiB', 200, HTML, 1024, true],
  ['a page of a byte less', 200, HTML, 1023, false],
  ['a page of unknown length', 200, HTML, -1, true],
  ['an error page', 404, HTML, 5000, true],
  ['an answer without a type', 200, [], 5000, false],
  ['a part', 206, HTML, 5000, false],
  ['an answer without a body', 204, HTML, -1, false],
  ['what has not changed', 304, HTML, -1, false],
  ['what is encoded', 200, [...HTML, 'content-encoding', 'br'], 5000, false],
  ['what has a digest', 200, [...HTML, 'Content-Digest', 'sha-256=:x:'], 5000, false],
  ['what says no-transform', 200, [...HTML, 'Cache-Control', 'public, No-Transform'], 5000, false],
])('whether %s is compressed', (_what, status, fields, length, wanted) => {
  expect(isCompressible(status, fields, length)).toBe(wanted);
});
