/** The stored answers of one worker, bounded by the memory that they take; the one used longest ago goes first. */
import { LRUCache } from 'lru-cache';
import type { IsForgotten } from './forgotten.ts';
import { type CacheKey, releaseOf } from './key.ts';
import { type StoredAnswer, sizeOf } from './stored.ts';
import { isChosenBy } from './vary.ts';

/** More answers of one URL are not kept: a `Vary` on everything would make each request one. */
const MOST_VARIANTS = 32;

export interface CacheStore {
  /** The stored answer that a request gets, whether it is fresh or not. */
  find(key: CacheKey, requestFields: readonly string[]): StoredAnswer | undefined;
  /** The stored answer with this mark; counts as a use. */
  marked(key: CacheKey, mark: object): StoredAnswer | undefined;
  /** Whether anything of this URL is stored, for other requests at least. */
  has(key: CacheKey): boolean;
  put(key: CacheKey, answer: StoredAnswer): void;
  /** More has been made of its answers: they take more memory than before. */
  grown(key: CacheKey): void;
  /** Forgets a URL of one release. */
  forget(key: CacheKey): boolean;
  /** Keeps only what is of these releases. */
  keep(releases: ReadonlySet<string>): void;
  /**
   * Forgets what a test says, all variants of a URL if it is said of one of them.
   *
   * @returns how many answers
   */
  purge(isGone: IsForgotten): number;
  /** Those used last come first. */
  keys(): Iterable<CacheKey>;
  entries(): number;
  bytes(): number;
}

/** An item of the list and of the map. */
const BYTES_PER_KEY = 200;

interface Variants {
  /** The newest first: of several that fit, it is the right one (RFC 9111 §4.1). */
  answers: StoredAnswer[];
}

/** @param maxBytes of memory */
export function createCacheStore(maxBytes: number): CacheStore {
  let entries = 0;
  const byKey = new LRUCache<CacheKey, Variants>({
    // `0` would be no limit.
    maxSize: Math.max(1, maxBytes),
    sizeCalculation: ({ answers }, key) =>
      answers.reduce((sum, { size }) => sum + size, key.length + BYTES_PER_KEY),
    dispose: ({ answers }) => {
      entries -= answers.length;
    },
  });

  const purge = (isGone: IsForgotten) => {
    const before = entries;
    const gone: CacheKey[] = [];
    for (const [key, { answers }] of byKey.entries()) {
      if (answers.some(({ tags }) => isGone(key, tags))) gone.push(key);
    }
    for (const key of gone) byKey.delete(key);
    return before - entries;
  };

  return {
    find: (key, requestFields) =>
      byKey.get(key)?.answers.find(({ by }) => isChosenBy(by, requestFields)),
    marked: (key, mark) => byKey.get(key)?.answers.find((answer) => answer.mark === mark),
    has: (key) => byKey.has(key),
    put(key, answer) {
      const others = (byKey.peek(key)?.answers ?? []).filter(({ by }) => !isSame(by, answer.by));
      const answers = [answer, ...others].slice(0, MOST_VARIANTS);
      byKey.set(key, { answers });
      // One that is larger than the whole store has not been taken.
      if (byKey.peek(key)?.answers === answers) entries += answers.length;
    },
    grown(key) {
      const answers = byKey.peek(key)?.answers;
      if (answers === undefined) return;
      for (const answer of answers) answer.size = sizeOf(answer);
      byKey.set(key, { answers });
      if (byKey.peek(key)?.answers === answers) entries += answers.length;
    },
    forget: (key) => byKey.delete(key),
    keep: (releases) => void purge((key) => !releases.has(releaseOf(key))),
    purge,
    keys: () => byKey.keys(),
    entries: () => entries,
    bytes: () => byKey.calculatedSize,
  };
}

function isSame(a: StoredAnswer['by'], b: StoredAnswer['by']): boolean {
  return (
    a.length === b.length &&
    a.every(([name, value], i) => b[i]?.[0] === name && b[i]?.[1] === value)
  );
}
