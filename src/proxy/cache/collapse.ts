/** Misses of one URL at a time become one request to the slot: the others wait for its answer. */
import { LRUCache } from 'lru-cache';
import type { CacheKey } from './key.ts';

/** How long nobody waits again for a URL whose answer could not be stored, in milliseconds. */
const NO_WAIT_MS = 2000;
const MOST_REMEMBERED = 1000;

/** How long anybody waits for another's answer, in milliseconds. */
const LONGEST_WAIT_MS = 5000;

export interface Waiting {
  /** The answer is stored, or is not going to be. */
  wake(): void;
}

/** The one request that others wait for. */
export interface Leader {
  /** @param isUseless its answer may not be stored: nobody should wait for the next one either */
  done(isUseless: boolean): void;
}

export interface Collapse {
  /** Takes the lead for a URL; `null` when another has it, or nobody should wait. */
  lead(key: CacheKey): Leader | null;
  /** Whether the last answer could not be stored, a moment ago. */
  isUseless(key: CacheKey): boolean;
  /** Whether a request is under way that others wait for. */
  isLed(key: CacheKey): boolean;
  /** @returns whether there is somebody to wait for; `wake` is called once then */
  wait(key: CacheKey, waiting: Waiting): boolean;
  /** Has gone meanwhile. */
  leave(key: CacheKey, waiting: Waiting): void;
  /** How many wait. */
  waiting(): number;
}

interface Pending {
  waiting: Set<Waiting>;
  timer: NodeJS.Timeout | null;
}

export function createCollapse(): Collapse {
  const pending = new Map<CacheKey, Pending>();
  const useless = new LRUCache<CacheKey, true>({ max: MOST_REMEMBERED, ttl: NO_WAIT_MS });
  let count = 0;

  const end = (key: CacheKey, one: Pending, isUseless: boolean) => {
    if (pending.get(key) !== one) return;
    pending.delete(key);
    if (isUseless) useless.set(key, true);
    if (one.timer) clearTimeout(one.timer);
    count -= one.waiting.size;
    for (const waiting of one.waiting) waiting.wake();
  };

  return {
    lead(key) {
      if (pending.has(key) || useless.has(key)) return null;
      const one: Pending = { waiting: new Set(), timer: null };
      pending.set(key, one);
      return { done: (isUseless) => end(key, one, isUseless) };
    },
    isUseless: (key) => useless.has(key),
    isLed: (key) => pending.has(key),
    wait(key, waiting) {
      const one = pending.get(key);
      if (!one) return false;
      one.waiting.add(waiting);
      count++;
      one.timer ??= setTimeout(() => end(key, one, true), LONGEST_WAIT_MS).unref();
      return true;
    },
    leave(key, waiting) {
      if (pending.get(key)?.waiting.delete(waiting)) count--;
    },
    waiting: () => count,
  };
}
