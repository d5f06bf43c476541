import { expect, test } from 'vitest';
import { createTrafficCounters } from '../../../src/controller/metrics/traffic-counters.ts';
import { quantile, RING_SECONDS } from '../../../src/controller/metrics/traffic-ring.ts';
import { countAnswer, createWorkerCounters } from '../../../src/proxy/metrics/counters.ts';

const START = 1_700_000_000_000;

/** Counters whose clock the test moves, and workers that count as real ones do. */
function setUp(maxReleases = 7) {
  let time = START;
  const trafficCounters = createTrafficCounters(START, maxReleases, () => time);
  const worker = (pid: number, since = START) => {
    const counters = createWorkerCounters(since);
    counters.serve('blue', 'one');
    return {
      ...counters,
      /** A copy, as the wire makes one: the counters must not see later changes. */
      report: () => trafficCounters.add(pid, JSON.parse(JSON.stringify(counters.counters))),
      answer: (status = 200, ms = 4) => countAnswer(counters.traffic.blue, status, ms),
    };
  };
  const answered = () =>
    trafficCounters.sums().traffic.map(({ slot, release, classes }) => [slot, release, classes[2]]);
  const pass = (ms: number) => {
    time += ms;
  };
  return { trafficCounters, worker, answered, pass };
}

test('sums are the sum over all workers, however often they report', () => {
  const { worker, answered, trafficCounters } = setUp();
  const [a, b] = [worker(1), worker(2)];
  for (const each of [a, b, a]) {
    each.answer();
    each.report();
    each.report();
  }
  a.counters.retries = 2;
  a.counters.failovers = 1;
  a.counters.upstreamErrors.green = 3;
  (a.counters.refused[5] as number)++;
  a.report();
  expect(answered()).toEqual([['blue', 'one', 3]]);
  expect(trafficCounters.sums()).toMatchObject({
    retries: 2,
    failovers: 1,
    upstreamErrors: { blue: 0, green: 3 },
    refused: [0, 0, 0, 0, 0, 1],
  });
  expect(trafficCounters.sums().traffic[0]?.latencySumMs).toBe(12);
});

test('sums keep what a worker had counted that ended, even when the next one has its pid', () => {
  const { worker, answered } = setUp();
  const first = worker(1);
  first.answer();
  first.answer();
  first.report();
  const second = worker(1, START + 5000);
  second.report();
  expect(answered()).toEqual([['blue', 'one', 2]]);
  second.answer();
  second.report();
  expect(answered()).toEqual([['blue', 'one', 3]]);
});

test('sums leave out what workers had counted before this controller started', () => {
  const { worker, answered } = setUp();
  const old = worker(1, START - 60_000);
  for (let times = 0; times < 1000; times++) old.answer();
  old.report();
  expect(answered()).toEqual([]);
  old.answer();
  old.report();
  expect(answered()).toEqual([['blue', 'one', 1]]);
});

test('sums tell releases apart, and count one on that a worker had forgotten meanwhile', () => {
  const { worker, answered } = setUp();
  const { serve, answer, report } = worker(1);
  for (const release of ['one', 'two', 'three', 'one']) {
    serve('blue', release);
    answer();
    report();
  }
  expect(answered()).toEqual([
    ['blue', 'two', 1],
    ['blue', 'three', 1],
    ['blue', 'one', 2],
  ]);
});

test('sums: forget the release that has not answered for longest, so that they do not grow for ever', () => {
  const { worker, trafficCounters } = setUp(2);
  const { serve, answer, report } = worker(1);
  for (let release = 0; release < 50; release++) {
    serve('blue', `r${release}`);
    answer();
    report();
  }
  expect(trafficCounters.sums().traffic.map(({ release }) => release)).toEqual([
    'r46',
    'r47',
    'r48',
    'r49',
  ]);
});

test.each([
  ['nothing', undefined],
  ['an older shape', { requests: { blue: 1, green: 0 }, statusClasses: [0, 0, 1, 0, 0, 0] }],
  ['counts below zero', { ...createWorkerCounters(START).counters, retries: -1 }],
])('sums are not changed by a report with %s', (_name, counters) => {
  const { trafficCounters } = setUp();
  const before = JSON.stringify(trafficCounters.sums());
  trafficCounters.add(1, counters);
  expect(JSON.stringify(trafficCounters.sums())).toBe(before);
});

test('points tell of each whole second, quiet ones included', () => {
  const { worker, trafficCounters, pass } = setUp();
  const { answer, report, counters } = worker(1);
  answer(200, 1);
  answer(500, 1);
  (counters.refused[5] as number)++;
  counters.cache = { hit: 4, stale: 2, revalidated: 1, miss: 3, bypass: 9, entries: 8, bytes: 8 };
  report();
  expect(trafficCounters.points()).toEqual([]);
  pass(2500);
  answer(200, 1);
  report();
  expect(trafficCounters.points()).toEqual([
    {
      at: '2023-11-14T22:13:20.000Z',
      requests: 3,
      errors: 2,
      hits: 7,
      misses: 3,
      p50Ms: 0.5,
      p99Ms: 0.99,
    },
    {
      at: '2023-11-14T22:13:21.000Z',
      requests: 0,
      errors: 0,
      hits: 0,
      misses: 0,
      p50Ms: null,
      p99Ms: null,
    },
  ]);
});

test('points go back five minutes and no further', () => {
  const { worker, trafficCounters, pass } = setUp();
  const { answer, report } = worker(1);
  for (let second = 0; second < RING_SECONDS + 20; second++) {
    answer();
    report();
    pass(1000);
  }
  const points = trafficCounters.points();
  expect(points).toHaveLength(RING_SECONDS);
  expect(points.every(({ requests }) => requests === 1)).toBe(true);
  pass(3_600_000);
  expect(trafficCounters.points().every(({ requests }) => requests === 0)).toBe(true);
});

test.each([
  ['of nothing is none', [], 0.5, null],
  ['of one bucket lies inside it', [0, 10], 0.5, 1.5],
  ['takes the bucket that holds it', [90, 0, 0, 10], 0.99, 4.8],
  ['of what is slower than every bound is the last bound', [...Array(20).fill(0), 5], 0.5, 10_000],
])('a quantile: %s', (_name, latency, part, expected) => {
  expect(quantile(latency, part)).toBe(expected);
});
