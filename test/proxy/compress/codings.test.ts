import { expect, test } from 'vitest';
import {
  type Coding,
  chooseCoding,
  createCodingChoice,
} from '../../../src/proxy/compress/codings.ts';

const ALL = new Set<Coding>(['zstd', 'br', 'gzip']);

test.each<[string, Coding | null]>([
  ['gzip, deflate, br, zstd', 'zstd'],
  ['gzip, deflate, br', 'br'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['GZIP', 'gzip'],
  ['br;q=0.5, gzip;q=0.8', 'gzip'],
  ['zstd;q=0.1,br;q=0.2 , gzip;q=0.15', 'br'],
  ['gzip;q=0', null],
  ['gzip;q=0.000', null],
  ['gzip;q=0, br', 'br'],
  ['*', 'gzip'],
  ['*;q=0', null],
  ['gzip;q=0, *', 'br'],
  ['*;q=0.5, gzip;q=0.1', 'br'],
  ['*;q=0, gzip', 'gzip'],
  ['identity', null],
  ['identity, gzip', 'gzip'],
  ['identity;q=1, gzip;q=0.5', null],
  ['identity;q=0.5, gzip;q=1', 'gzip'],
  ['identity;q=0', null],
  ['identity;q=0, gzip;q=0.1', 'gzip'],
  ['deflate', null],
  ['', null],
  ['gzip;q=2', null],
  ['gzip;q=nonsense, br;q=0.3', 'br'],
  ['gzip ; q=0.5', 'gzip'],
  [', ,gzip', 'gzip'],
])('a visitor who says "Accept-Encoding: %s" gets %s', (value, wanted) => {
  expect(chooseCoding(value, ALL)).toBe(wanted);
});

test('without Accept-Encoding an answer goes out as it is', () => {
  expect(createCodingChoice(ALL)(undefined)).toBeNull();
});

test('a coding that this Node does not have is never chosen', () => {
  const choose = createCodingChoice(new Set<Coding>(['br', 'gzip']));
  expect(choose('zstd, gzip;q=0.5')).toBe('gzip');
  expect(choose('zstd')).toBeNull();
  expect(choose('zstd')).toBeNull();
});
