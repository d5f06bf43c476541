/**
 * What was forgotten lately. A site may have made an answer before the change that a purge or an unsafe request tells of,
 * and send it after: such an answer must not be stored.
 */
import type { CacheKey } from './key.ts';

/** Tells what is forgotten, by an answer's key and tags. */
export type IsForgotten = (key: CacheKey, tags: readonly string[]) => boolean;

/** Earlier ones count as ones of everything, so that a slow answer is rather not stored. */
const MOST_KEPT = 256;

export interface Forgotten {
  /** Counts up with everything that is forgotten. */
  count(): number;
  add(isForgotten: IsForgotten): void;
  /**
   * Whether an answer has been forgotten before it came.
   *
   * @param since what `count` was when it was asked for
   */
  has(since: number, key: CacheKey, tags: readonly string[]): boolean;
}

export function createForgotten(): Forgotten {
  const kept: IsForgotten[] = [];
  let count = 0;
  return {
    count: () => count,
    add(isForgotten) {
      kept[count % MOST_KEPT] = isForgotten;
      count++;
    },
    has(since, key, tags) {
      if (count - since > MOST_KEPT) return true;
      for (let i = since; i < count; i++) {
        if ((kept[i % MOST_KEPT] as IsForgotten)(key, tags)) return true;
      }
      return false;
    },
  };
}
