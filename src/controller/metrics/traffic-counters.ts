import { z } from 'zod';
import { SLOTS } from '../../slots/slot.ts';
import { type Counters, LATENCY_BOUNDS_MS, type Traffic } from '../../wire/messages.ts';
import { createTrafficRing, type TrafficPoint } from './traffic-ring.ts';

/** Sums over all workers, those that have ended included, since the controller started. */
export type CounterSums = Omit<Counters, 'since' | 'cache'> & {
  cache: Record<CacheResult, number>;
};

/** What a release cache can make of a request. */
export const CACHE_RESULTS = ['hit', 'stale', 'revalidated', 'miss', 'bypass'] as const;
type CacheResult = (typeof CACHE_RESULTS)[number];

export interface TrafficCounters {
  /** Adds a worker's report. One that this version does not understand is passed over. */
  add(pid: number, counters: unknown): void;
  sums(): CounterSums;
  /** The last five minutes, one point a second, oldest first. */
  points(): TrafficPoint[];
}

/** Workers whose last report is remembered: the running ones and many that have ended. */
const MAX_WORKERS = 256;

const count = z.number().min(0);
const countersSchema = z.object({
  since: count,
  traffic: z
    .array(
      z.object({
        slot: z.enum(SLOTS),
        release: z.string().nullable(),
        classes: z.array(count).length(6),
        latency: z.array(count).length(LATENCY_BOUNDS_MS.length + 1),
        latencySumMs: count,
      }),
    )
    .max(16),
  refused: z.array(count).length(6),
  upstreamErrors: z.object({ blue: count, green: count }),
  retries: count,
  failovers: count,
  cache: z
    .object({
      hit: count,
      stale: count,
      revalidated: count,
      miss: count,
      bypass: count,
      entries: count,
      bytes: count,
    })
    .optional(),
});

/**
 * Adds up what the workers report. Each of them counts from its own start, so that only what came since its
 * last report is added, and a worker that ends takes nothing away.
 *
 * @param startedAt of this process, in milliseconds since 1970. A worker that is older was counted by the
 *   controller before; what it brings along would look like traffic of this instant.
 * @param maxReleases how many releases are told apart; the one without an answer for longest goes first
 */
export function createTrafficCounters(
  startedAt: number,
  maxReleases: number,
  now: () => number = Date.now,
): TrafficCounters {
  const known = new Map<string, Counters>();
  const byRelease = new Map<string, Traffic>();
  const sums: CounterSums = {
    ...emptyCounters(),
    traffic: [],
    cache: { hit: 0, stale: 0, revalidated: 0, miss: 0, bypass: 0 },
  };
  const ring = createTrafficRing(now);

  const addTraffic = (delta: Traffic) => {
    const key = keyOf(delta);
    const sum = byRelease.get(key) ?? { ...delta, classes: [], latency: [], latencySumMs: 0 };
    // Moved to the end, so that the first one is the one to forget.
    byRelease.delete(key);
    byRelease.set(key, {
      ...sum,
      classes: plus(sum.classes, delta.classes),
      latency: plus(sum.latency, delta.latency),
      latencySumMs: sum.latencySumMs + delta.latencySumMs,
    });
    const [oldest] = byRelease.keys();
    if (byRelease.size > maxReleases * SLOTS.length) byRelease.delete(oldest as string);
  };

  const add = (delta: Counters) => {
    for (const traffic of delta.traffic) addTraffic(traffic);
    sums.refused = plus(sums.refused, delta.refused);
    for (const slot of SLOTS) sums.upstreamErrors[slot] += delta.upstreamErrors[slot];
    sums.retries += delta.retries;
    sums.failovers += delta.failovers;
    for (const result of CACHE_RESULTS) sums.cache[result] += delta.cache?.[result] ?? 0;
    ring.add(delta);
  };

  return {
    add(pid, reported) {
      const parsed = countersSchema.safeParse(reported);
      if (!parsed.success) return;
      const counters = parsed.data;
      const worker = `${pid} ${counters.since}`;
      const before = known.get(worker) ?? (counters.since < startedAt ? counters : emptyCounters());
      known.delete(worker);
      known.set(worker, counters);
      const [oldest] = known.keys();
      if (known.size > MAX_WORKERS) known.delete(oldest as string);
      add(difference(counters, before));
    },
    sums: () => ({ ...sums, traffic: [...byRelease.values()] }),
    points: () => ring.points(),
  };
}

function keyOf({ slot, release }: Traffic): string {
  return `${slot} ${release}`;
}

/** The difference of two reports of one worker, without the releases that answered nothing in between. */
function difference(now: Counters, before: Counters): Counters {
  return {
    since: now.since,
    traffic: now.traffic.flatMap((traffic) => trafficSince(traffic, before.traffic)),
    refused: minus(now.refused, before.refused),
    upstreamErrors: {
      blue: now.upstreamErrors.blue - before.upstreamErrors.blue,
      green: now.upstreamErrors.green - before.upstreamErrors.green,
    },
    retries: now.retries - before.retries,
    failovers: now.failovers - before.failovers,
    cache: now.cache && {
      ...now.cache,
      ...Object.fromEntries(
        CACHE_RESULTS.map((result) => [
          result,
          (now.cache?.[result] ?? 0) - (before.cache?.[result] ?? 0),
        ]),
      ),
    },
  };
}

function trafficSince(now: Traffic, all: Traffic[]): Traffic[] {
  const found = all.find((each) => keyOf(each) === keyOf(now));
  // A worker forgets old releases: one that comes back is counted from zero again.
  const before = found && sum(found.classes) <= sum(now.classes) ? found : null;
  if (before === null) return sum(now.classes) > 0 ? [now] : [];
  if (sum(before.classes) === sum(now.classes)) return [];
  return [
    {
      ...now,
      classes: minus(now.classes, before.classes),
      latency: minus(now.latency, before.latency),
      latencySumMs: now.latencySumMs - before.latencySumMs,
    },
  ];
}

function emptyCounters(): Counters {
  return {
    since: 0,
    traffic: [],
    refused: [0, 0, 0, 0, 0, 0],
    upstreamErrors: { blue: 0, green: 0 },
    retries: 0,
    failovers: 0,
  };
}

export function plus(a: readonly number[], b: readonly number[]): number[] {
  return b.map((value, index) => value + (a[index] ?? 0));
}

function minus(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, index) => Math.max(0, value - (b[index] ?? 0)));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
