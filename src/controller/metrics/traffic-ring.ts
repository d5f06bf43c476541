import { type Counters, LATENCY_BOUNDS_MS } from '../../wire/messages.ts';

/** The ring's length, in seconds. */
export const RING_SECONDS = 300;

/** One second of all workers' traffic. */
export interface TrafficPoint {
  /** The second's begin, ISO 8601, UTC. */
  at: string;
  /** Answers in this second, of whatever status. */
  requests: number;
  /** Those of them with a status of 500 or above. */
  errors: number;
  /** Requests that were answered from memory. */
  hits: number;
  /** Those that went on to the site since nothing was stored for them. */
  misses: number;
  /** Half of the answers' heads came within so many milliseconds; `null` without an answer. */
  p50Ms: number | null;
  /** 99 of 100 did. */
  p99Ms: number | null;
}

interface Second {
  requests: number;
  errors: number;
  hits: number;
  misses: number;
  latency: number[];
}

/** The newest seconds of traffic. Reports come a few times a second, so that an answer may count a quarter late. */
export function createTrafficRing(now: () => number) {
  const seconds = new Map<number, Second>();
  const current = () => Math.floor(now() / 1000);
  const first = current();

  return {
    add({ traffic, refused, cache }: Pick<Counters, 'traffic' | 'refused' | 'cache'>): void {
      const second = current();
      for (const old of seconds.keys()) if (old < second - RING_SECONDS) seconds.delete(old);
      const at = seconds.get(second) ?? { requests: 0, errors: 0, hits: 0, misses: 0, latency: [] };
      seconds.set(second, at);
      if (cache) {
        at.hits += cache.hit + cache.stale + cache.revalidated;
        at.misses += cache.miss;
      }
      for (const classes of [refused, ...traffic.map((each) => each.classes)]) {
        for (const count of classes) at.requests += count;
        at.errors += classes[5] ?? 0;
      }
      for (const { latency } of traffic) {
        for (const [bucket, count] of latency.entries()) {
          at.latency[bucket] = (at.latency[bucket] ?? 0) + count;
        }
      }
    },

    /** Whole seconds only: the current one would always look like a drop. */
    points(): TrafficPoint[] {
      const end = current();
      const start = Math.max(first, end - RING_SECONDS);
      return Array.from({ length: Math.max(0, end - start) }, (_, index) =>
        toPoint(start + index, seconds.get(start + index)),
      );
    },
  };
}

function toPoint(second: number, found: Second | undefined): TrafficPoint {
  return {
    at: new Date(second * 1000).toISOString(),
    requests: found?.requests ?? 0,
    errors: found?.errors ?? 0,
    hits: found?.hits ?? 0,
    misses: found?.misses ?? 0,
    p50Ms: quantile(found?.latency ?? [], 0.5),
    p99Ms: quantile(found?.latency ?? [], 0.99),
  };
}

/**
 * The latency that this part of the answers stays below, in milliseconds, as if each bucket's answers were spread
 * evenly over it. Answers slower than the last bound count as fast as that.
 */
export function quantile(latency: readonly number[], part: number): number | null {
  const total = latency.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const wanted = total * part;
  let below = 0;
  for (const [bucket, count] of latency.entries()) {
    if (count > 0 && below + count >= wanted) {
      const from = LATENCY_BOUNDS_MS[bucket - 1] ?? 0;
      const to = LATENCY_BOUNDS_MS[bucket] ?? from;
      const ms = from + ((to - from) * (wanted - below)) / count;
      return Math.round(ms * 100) / 100;
    }
    below += count;
  }
  return LATENCY_BOUNDS_MS.at(-1) as number;
}
