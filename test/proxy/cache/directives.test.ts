import { expect, test } from 'vitest';
import { readDirectives, seconds } from '../../../src/proxy/cache/directives.ts';

const read = (value: string) => Object.fromEntries(readDirectives(value));

test.each([
  ['max-age=60', { 'max-age': '60' }],
  ['Max-Age=60, PUBLIC', { 'max-age': '60', public: null }],
  ['max-age="60"', { 'max-age': '60' }],
  ['private="set-cookie, x", max-age=1', { private: 'set-cookie, x', 'max-age': '1' }],
  ['a="x\\"y"', { a: 'x"y' }],
  [' , no-store ,, ', { 'no-store': null }],
  ['max-age=', { 'max-age': '' }],
  ['', {}],
])('the directives %j are read', (value, expected) => {
  expect(read(value)).toEqual(expected);
});

test.each([
  ['max age=60, public', { public: null }],
  ['=1, public', { public: null }],
  ['x="unended, public', {}],
  ['max-age=60 s, no-store', { 'no-store': null }],
])('what cannot be read in %j is passed over up to the next comma', (value, expected) => {
  expect(read(value)).toEqual(expected);
});

test.each([
  ['public, max-age=60, private;', { public: null, 'max-age': '60', private: null }],
  ['no-store; max-age=60, public', { 'no-store': null, public: null }],
  ['s-maxage=60, No-Store foo', { 's-maxage': '60', 'no-store': null }],
  ['s-maxage=60, no-cache="x', { 's-maxage': '60', 'no-cache': null }],
  ['x-private y, s-maxage=60', { 's-maxage': '60' }],
])('a directive that forbids counts in %j, though it cannot be read', (value, expected) => {
  expect(read(value)).toEqual(expected);
});

test.each([
  ['max-age=60', 60],
  ['max-age=60, max-age=60', 60],
  ['max-age=99999999999999999999', 2 ** 31],
  ['max-age=-1', 0],
  ['max-age=1.5', 0],
  ['max-age=x', 0],
  ['max-age', 0],
  ['max-age=60, max-age=3600', 0],
  ['s-maxage=60', null],
])('%j gives an age of %j seconds', (value, expected) => {
  expect(seconds(readDirectives(value), 'max-age')).toBe(expected);
});
