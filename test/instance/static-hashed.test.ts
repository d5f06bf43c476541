import { expect, test } from 'vitest';
import { isHashed } from '../../src/instance/static-hashed.ts';

test.each([
  ['/assets/index-Bx3k9ZaQ.js', true],
  ['/main.3f2a9c1b.css', true],
  ['/_next/static/chunks/main.js', true],
  ['/_app/immutable/entry/start.js', true],
  ['/report-20240115.pdf', false],
  ['/photo-20240115.jpg', false],
  ['/assets/my-holidays.jpg', false],
  ['/assets/logo.png', false],
  ['/my-facade.css', false],
  ['/about', false],
])('%s may be kept by browsers for ever: %s', (path, expected) => {
  expect(isHashed(path)).toBe(expected);
});
