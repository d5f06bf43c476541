import { expect, test } from 'vitest';
import { isHashed } from '../../src/slots/hashed.ts';

test.each([
  ['/assets/index-Bx3k9ZaQ.js', true],
  ['/main.3f2a9c1b.css', true],
  ['/_next/static/chunks/main.js', true],
  ['/_app/immutable/entry/start.js', true],
  ['/static/js/main.3f2a9c1b.chunk.js', true],
  ['/static/js/main.3f2a9c1b.js.map', true],
  ['/3f2a9c1b5d6e7f809142.woff2', true],
  ['/chunk-QWERTYAB.js', true],
  ['/_nuxt/builds/meta/0b1c.json', true],
  ['/_nuxt/builds/latest.json', false],
  ['/_app/version.json', false],
  ['/report-20240115.pdf', false],
  ['/assets/report-20240115.pdf', false],
  ['/report-OVERVIEW.pdf', false],
  ['/photo-20240115.jpg', false],
  ['/assets/my-holidays.jpg', false],
  ['/assets/logo.png', false],
  ['/my-facade.css', false],
  ['/about', false],
])('%s may be kept by browsers for ever: %s', (path, expected) => {
  expect(isHashed(path)).toBe(expected);
});
