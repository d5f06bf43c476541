/**
 * Request heads that were answered from memory, by their own bytes: the same head gets the same answer, without being read
 * again, as long as that is stored, fresh, and of the release that is served.
 */
import { LRUCache } from 'lru-cache';
import type { Coding } from '../compress/codings.ts';
import { inCoding } from '../compress/stored.ts';
import { type AnswerBytes, answerBytes, notModifiedBytes } from './answer-bytes.ts';
import type { CacheKey } from './key.ts';
import { ageMs } from './reuse.ts';
import type { StoredAnswer } from './stored.ts';

/** Of each worker; with their maximum length that is 4 MiB. */
const MOST_HEADS = 4096;
const LONGEST_HEAD = 1024;

/** What a head gets of a stored answer. Its conditions have the same outcome as long as that is the stored one. */
export type Part =
  | 'whole'
  /** That it has not changed (304). */
  | 'not-modified'
  /** The same, with the site's strong `ETag` made weak, as the visitor has it. */
  | 'not-modified-weak';

export interface HeadMemory {
  /**
   * @param text a whole head and nothing else
   * @param group of connections: whoever is trusted, or comes over TLS, may get another answer
   */
  find(text: string, group: number): AnswerBytes | null;
  remember(text: string, group: number, known: KnownAnswer): void;
  forgetAll(): void;
}

export interface KnownAnswer {
  key: CacheKey;
  stored: StoredAnswer;
  /** That the head asks for; `null` for none, left out where nothing is compressed. */
  coding?: Coding | null | undefined;
  part: Part;
}

/** Without the answer itself, which would stay in memory after it was forgotten. */
type Known = Omit<KnownAnswer, 'stored'> & { mark: object };

export interface HeadMemoryParts {
  /** The stored answer with this mark, if visitors get its release at this instant. */
  marked(key: CacheKey, mark: object): StoredAnswer | undefined;
  /** It is being given to a visitor, with this status. */
  count(status: number): void;
  /** Lines on a connection that is kept open. */
  connectionFields: string;
  now?: () => number;
}

export function createHeadMemory(parts: HeadMemoryParts): HeadMemory {
  const { marked, count, connectionFields, now = Date.now } = parts;
  const groups = new Map<number, LRUCache<string, Known>>();
  return {
    find(text, group) {
      const heads = groups.get(group);
      const known = heads?.get(text);
      if (known === undefined) return null;
      const at = now();
      const { key, mark, coding, part } = known;
      const stored = marked(key, mark);
      if (stored === undefined || ageMs(stored.lifetime, at) >= stored.lifetime.freshMs) {
        heads?.delete(text);
        return null;
      }
      const answer = coding === undefined ? stored : inCoding(stored, coding);
      if (part === 'whole') {
        count(stored.status);
        return answerBytes(answer, connectionFields, at);
      }
      count(304);
      return notModifiedBytes(answer, part === 'not-modified-weak', connectionFields, at);
    },
    remember(text, group, { key, stored, coding, part }) {
      if (text.length > LONGEST_HEAD) return;
      const heads = groups.get(group) ?? new LRUCache<string, Known>({ max: MOST_HEADS / 4 });
      groups.set(group, heads);
      heads.set(text, { key, mark: stored.mark, coding, part });
    },
    forgetAll: () => groups.clear(),
  };
}
