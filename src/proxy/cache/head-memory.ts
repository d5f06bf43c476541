/**
 * Request heads that were answered from memory, by their own bytes: the same head gets the same answer, without being read
 * again, as long as that is stored, fresh, and of the release that is served.
 */
import { LRUCache } from 'lru-cache';
import type { Coding } from '../compress/codings.ts';
import { inCoding } from '../compress/stored.ts';
import { type AnswerBytes, answerBytes } from './answer-bytes.ts';
import type { CacheKey } from './key.ts';
import { ageMs } from './reuse.ts';
import type { StoredAnswer } from './stored.ts';

/** Of each worker; with their maximum length that is 4 MiB. */
const MOST_HEADS = 4096;
const LONGEST_HEAD = 1024;

export interface HeadMemory {
  /**
   * @param text a whole head and nothing else
   * @param group of connections: whoever is trusted, or comes over TLS, may get another answer
   */
  find(text: string, group: number): AnswerBytes | null;
  /** @param coding that the head asks for; `null` for none, left out where nothing is compressed */
  remember(
    text: string,
    group: number,
    key: CacheKey,
    stored: StoredAnswer,
    coding?: Coding | null,
  ): void;
}

interface Known {
  key: CacheKey;
  stored: StoredAnswer;
  coding: Coding | null | undefined;
}

/**
 * @param isCurrent whether this is what is stored under the key, and of the release that visitors get at this instant
 * @param connectionFields lines on a connection that is kept open
 */
export function createHeadMemory(
  isCurrent: (key: CacheKey, stored: StoredAnswer) => boolean,
  connectionFields: string,
  now: () => number = Date.now,
): HeadMemory {
  const groups = new Map<number, LRUCache<string, Known>>();
  return {
    find(text, group) {
      const heads = groups.get(group);
      const known = heads?.get(text);
      if (known === undefined) return null;
      const at = now();
      const { key, stored, coding } = known;
      if (ageMs(stored.lifetime, at) < stored.lifetime.freshMs && isCurrent(key, stored)) {
        const answer = coding === undefined ? stored : inCoding(stored, coding);
        return answerBytes(answer, connectionFields, at);
      }
      heads?.delete(text);
      return null;
    },
    remember(text, group, key, stored, coding) {
      if (text.length > LONGEST_HEAD) return;
      const heads = groups.get(group) ?? new LRUCache<string, Known>({ max: MOST_HEADS / 4 });
      groups.set(group, heads);
      heads.set(text, { key, stored, coding });
    },
  };
}
