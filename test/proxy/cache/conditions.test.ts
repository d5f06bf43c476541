import { expect, test } from 'vitest';
import { select } from '../../../src/proxy/cache/conditions.ts';

const MODIFIED = 'Sat, 28 Nov 2026 10:00:00 GMT';
const BEFORE = 'Sat, 28 Nov 2026 09:59:59 GMT';
const AFTER = 'Sat, 28 Nov 2026 10:00:01 GMT';
const STORED = ['ETag', '"a,b"', 'Last-Modified', MODIFIED, 'Date', AFTER];
const LENGTH = 100;

const of = (fields: string[], stored = STORED) => select(fields, stored, LENGTH, Date.now());

test.each([
  ['no condition', [], 200],
  ['its ETag', ['If-None-Match', '"a,b"'], 304],
  ['its ETag, weak', ['If-None-Match', 'W/"a,b"'], 304],
  ['a list with its ETag', ['If-None-Match', '"x", W/"y" , "a,b"'], 304],
  ['a star', ['If-None-Match', '*'], 304],
  ['another ETag', ['If-None-Match', '"a"'], 200],
  ['an ETag without quotes', ['If-None-Match', 'a,b'], 200],
  ['two lines of them', ['If-None-Match', '"x"', 'if-none-match', '"a,b"'], 304],
  ['its date', ['If-Modified-Since', MODIFIED], 304],
  ['a later date', ['If-Modified-Since', AFTER], 304],
  ['an earlier date', ['If-Modified-Since', BEFORE], 200],
  ['no date', ['If-Modified-Since', 'yesterday'], 200],
  ['another ETag beside its date', ['If-None-Match', '"x"', 'If-Modified-Since', MODIFIED], 200],
] as const)('a request with %s gets %i', (_what, fields, status) => {
  expect(of([...fields]).status).toBe(status);
});

test('a date is compared with the Date of an answer without Last-Modified', () => {
  const stored = ['Date', MODIFIED];
  expect(of(['If-Modified-Since', MODIFIED], stored).status).toBe(304);
  expect(of(['If-Modified-Since', BEFORE], stored).status).toBe(200);
});

test.each([
  ['bytes=0-9', { status: 206, start: 0, end: 9 }],
  ['bytes=90-', { status: 206, start: 90, end: 99 }],
  ['bytes=90-500', { status: 206, start: 90, end: 99 }],
  ['bytes=-10', { status: 206, start: 90, end: 99 }],
  ['bytes=-500', { status: 206, start: 0, end: 99 }],
  ['BYTES=0-0', { status: 206, start: 0, end: 0 }],
  ['bytes=100-', { status: 416 }],
  ['bytes=-0', { status: 416 }],
  ['bytes=9-0', { status: 200 }],
  ['bytes=-', { status: 200 }],
  ['bytes=0-1,4-5', { status: 200 }],
  ['lines=0-9', { status: 200 }],
] as const)('the range %j selects %j', (range, selection) => {
  expect(of(['Range', range])).toEqual(selection);
});

test.each([
  ['"a,b"', 206],
  ['W/"a,b"', 200],
  ['"x"', 200],
  [MODIFIED, 206],
  [AFTER, 200],
])('a range with If-Range %j gets %i', (condition, status) => {
  expect(of(['Range', 'bytes=0-9', 'If-Range', condition]).status).toBe(status);
});

test('a condition goes before a range', () => {
  expect(of(['Range', 'bytes=0-9', 'If-None-Match', '"a,b"']).status).toBe(304);
});
