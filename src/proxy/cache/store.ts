/** The stored answers of one worker, bounded by the memory that they take; the one used longest ago goes first. */
import { LRUCache } from 'lru-cache';
import { type CacheKey, releaseOf } from './key.ts';
import type { StoredAnswer } from './stored.ts';
import { isChosenBy } from './vary.ts';

/** More answers of one URL are not kept: a `Vary` on everything would make each request one. */
const MOST_VARIANTS = 32;

export interface CacheStore {
  /** The stored answer that a request gets, whether it is fresh or not. */
  find(key: CacheKey, requestFields: readonly string[]): StoredAnswer | undefined;
  /** Whether anything of this URL is stored, for other requests at least. */
  has(key: CacheKey): boolean;
  put(key: CacheKey, answer: StoredAnswer): void;
  /** Forgets a URL in every release. */
  forget(key: CacheKey): boolean;
  /** Keeps only what is of these releases. */
  keep(releases: ReadonlySet<string>): void;
  /** Forgets what a key's test says. */
  purge(isGone: (key: CacheKey) => boolean): number;
  entries(): number;
  bytes(): number;
}

interface Variants {
  /** The newest first: of several that fit, it is the right one (RFC 9111 §4.1). */
  answers: StoredAnswer[];
}

/** @param maxBytes of memory */
export function createCacheStore(maxBytes: number): CacheStore {
  const byKey = new LRUCache<CacheKey, Variants>({
    maxSize: maxBytes,
    sizeCalculation: ({ answers }, key) =>
      answers.reduce((sum, { size }) => sum + size, key.length + 100),
  });

  const purge = (isGone: (key: CacheKey) => boolean) => {
    const gone = [...byKey.keys()].filter(isGone);
    for (const key of gone) byKey.delete(key);
    return gone.length;
  };

  return {
    find: (key, requestFields) =>
      byKey.get(key)?.answers.find(({ by }) => isChosenBy(by, requestFields)),
    has: (key) => byKey.has(key),
    put(key, answer) {
      const others = (byKey.peek(key)?.answers ?? []).filter(({ by }) => !isSame(by, answer.by));
      byKey.set(key, { answers: [answer, ...others].slice(0, MOST_VARIANTS) });
    },
    forget: (key) => byKey.delete(key),
    keep: (releases) => void purge((key) => !releases.has(releaseOf(key))),
    purge,
    entries: () => [...byKey.values()].reduce((sum, { answers }) => sum + answers.length, 0),
    bytes: () => byKey.calculatedSize,
  };
}

function isSame(a: StoredAnswer['by'], b: StoredAnswer['by']): boolean {
  return (
    a.length === b.length &&
    a.every(([name, value], i) => b[i]?.[0] === name && b[i]?.[1] === value)
  );
}
