import { expect, test } from 'vitest';
import { countAnswer, createWorkerCounters } from '../../../src/proxy/metrics/counters.ts';
import { LATENCY_BOUNDS_MS, type Traffic } from '../../../src/wire/messages.ts';
import { startEcho, startOrigin, startPlane } from '../../support/plane.ts';

const releases = ({ counters }: ReturnType<typeof createWorkerCounters>) =>
  counters.traffic.map(({ slot, release }) => `${slot} ${release}`);

function newest(traffic: Traffic[], slot: string): Traffic {
  return traffic.findLast((each) => each.slot === slot) as Traffic;
}

test('the counters counts an answer by class and in the one bucket that its latency falls into', () => {
  const { traffic } = createWorkerCounters();
  countAnswer(traffic.blue, 204, 1);
  countAnswer(traffic.blue, 503, 1.1);
  countAnswer(traffic.blue, 200, 60_000);
  expect(traffic.blue.classes).toEqual([0, 0, 2, 0, 0, 1]);
  expect(traffic.blue.latency).toHaveLength(LATENCY_BOUNDS_MS.length + 1);
  expect(traffic.blue.latency.slice(0, 2)).toEqual([1, 1]);
  expect(traffic.blue.latency.at(-1)).toBe(1);
  expect(traffic.blue.latencySumMs).toBeCloseTo(60_002.1);
});

test('the counters has no place for a status that is none', () => {
  const { traffic } = createWorkerCounters();
  countAnswer(traffic.blue, 999, 1);
  expect(traffic.blue.classes).toEqual([0, 0, 0, 0, 0, 0]);
});

test('the counters keeps the two newest releases of each slot', () => {
  const counters = createWorkerCounters();
  for (const release of ['a', 'b', 'c']) counters.serve('blue', release);
  counters.serve('green', 'g');
  expect(releases(counters)).toEqual(['blue b', 'blue c', 'green g']);
});

test('the counters goes on counting for a release that comes back, which is the newest again', () => {
  const counters = createWorkerCounters();
  counters.serve('blue', 'a');
  countAnswer(counters.traffic.blue, 200, 1);
  counters.serve('blue', 'b');
  counters.serve('blue', 'a');
  countAnswer(counters.traffic.blue, 200, 1);
  expect(counters.traffic.blue.classes[2]).toBe(2);
  counters.serve('blue', 'c');
  expect(releases(counters)).toEqual(['blue a', 'blue c']);
});

test('the data plane counts answers by slot and release, with their latency', async () => {
  const site = await startOrigin((request, response) => {
    response.statusCode = Number(request.url?.slice(1));
    setTimeout(() => response.end(), 30);
  });
  const { port, plane } = await startPlane({ blue: site.port, release: { blue: 'one' } });
  for (const status of [200, 201, 304, 404, 500]) await fetch(`http://127.0.0.1:${port}/${status}`);
  const traffic = newest(plane.counters.traffic, 'blue');
  expect(traffic).toMatchObject({ release: 'one', classes: [0, 0, 2, 1, 1, 1] });
  expect(traffic.latency.reduce((sum, each) => sum + each)).toBe(5);
  expect(traffic.latencySumMs).toBeGreaterThan(5 * 29);
});

test("the data plane counts its own error answers as the slot's, and those to requests for no slot apart", async () => {
  const { port, plane, assign } = await startPlane({ warm: { green: false } });
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(503);
  expect(newest(plane.counters.traffic, 'blue').classes[5]).toBe(1);
  assign({ active: null });
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(503);
  expect(plane.counters.refused).toEqual([0, 0, 0, 0, 0, 1]);
  expect(newest(plane.counters.traffic, 'blue').classes[5]).toBe(1);
});

test('the data plane counts: a failed-over request for the slot that answered it', async () => {
  const { port, plane } = await startPlane({ green: (await startEcho()).port });
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  expect(newest(plane.counters.traffic, 'green').classes[2]).toBe(1);
  expect(newest(plane.counters.traffic, 'blue').classes[2]).toBe(0);
});

test('the data plane counts: an answer for the release it was routed to, even when the slot has another by then', async () => {
  let finish: () => void = () => {};
  const asked = Promise.withResolvers<void>();
  const site = await startOrigin((_request, response) => {
    finish = () => response.end();
    asked.resolve();
  });
  const running = await startPlane({ blue: site.port, release: { blue: 'one' } });
  const answer = fetch(`http://127.0.0.1:${running.port}/`);
  await asked.promise;
  running.assign({ release: { blue: 'two' } });
  finish();
  await answer;
  const counted = running.plane.counters.traffic.filter(({ slot }) => slot === 'blue');
  expect(counted.map(({ release, classes }) => [release, classes[2]])).toEqual([
    ['one', 1],
    ['two', 0],
  ]);
});
