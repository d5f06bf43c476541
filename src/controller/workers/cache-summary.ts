import type { Counters } from '../../wire/messages.ts';

/** The release caches of all workers together, since each of them has started. */
export interface CacheSummary {
  /** Requests answered from memory. */
  hits: number;
  /** Requests that were sent on, since nothing was stored. */
  misses: number;
  /** Answers in memory; each worker has its own. */
  entries: number;
  /** Memory that they take. */
  bytes: number;
}

export function cacheOf(workers: readonly { counters: Counters | null }[]): CacheSummary {
  const sum: CacheSummary = { hits: 0, misses: 0, entries: 0, bytes: 0 };
  for (const { counters } of workers) {
    if (!counters?.cache) continue;
    const { hit, stale, revalidated, miss, entries, bytes } = counters.cache;
    sum.hits += hit + stale + revalidated;
    sum.misses += miss;
    sum.entries += entries;
    sum.bytes += bytes;
  }
  return sum;
}
