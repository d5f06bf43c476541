import { expect, test } from 'vitest';
import {
  columns,
  hitRatio,
  lonely,
  niceCeiling,
  type Point,
  spanOf,
} from '../../src/dashboard/traffic.ts';

const at = (seconds: number, requests = 1): Point => ({
  time: seconds * 1000,
  requests,
  errors: 0,
  hits: 0,
  misses: 0,
  p50Ms: 0,
  p99Ms: 0,
});

test('the line of the chart breaks where five seconds or more are missing', () => {
  const points = [at(0, 3), at(1, 4), at(4, 5), at(9, 6)];
  expect(columns(points, [({ requests }) => requests])).toEqual([
    [0, 1000, 4000, 4001, 9000],
    [3, 4, 5, null, 6],
  ]);
});

test('a value with none beside it is drawn as a point', () => {
  expect(lonely([1, null, 2, 3, null, 4])).toEqual([0, 5]);
});

test('the chart shows the shortest span that holds all points', () => {
  expect(spanOf([at(0), at(30)], 0)).toEqual({ end: 30_000, spanMs: 60_000 });
  expect(spanOf([at(0), at(61)], 0)).toEqual({ end: 61_000, spanMs: 120_000 });
  expect(spanOf([at(0), at(999)], 0)).toEqual({ end: 999_000, spanMs: 300_000 });
  expect(spanOf([], 5000)).toEqual({ end: 5000, spanMs: 60_000 });
});

test('the axis ends at a round number', () => {
  expect([5, 7, 11, 63, 100, 101].map(niceCeiling)).toEqual([6, 8, 20, 80, 100, 200]);
});

test.each([
  [[], '–'],
  [[[0, 0]], '–'],
  [[[0, 3]], '0 %'],
  [[[1, 999]], '< 1 %'],
  [
    [
      [3, 1],
      [0, 0],
      [0, 1],
    ],
    '60 %',
  ],
  [[[1999, 1]], '99.9 %'],
  [[[5, 0]], '100 %'],
] as [[number, number][], string][])(
  'of %j hits and misses the ratio reads %s',
  (seconds, reads) => {
    expect(hitRatio(seconds.map(([hits, misses]) => ({ hits, misses })))).toBe(reads);
  },
);
