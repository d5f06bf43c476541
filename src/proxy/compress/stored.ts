/** Stored answers in the coding that a visitor takes. */
import type { StoredAnswer } from '../cache/stored.ts';
import type { Coding, CodingChoice } from './codings.ts';
import { isCompressible } from './compressible.ts';
import { encodedBody } from './encoded-bodies.ts';
import { encodedFields, withVary } from './fields.ts';

export interface Chosen {
  /** As the visitor gets it. */
  answer: StoredAnswer;
  /** As the site gave it, for parts and their lengths. */
  plain: StoredAnswer;
  /** The visitor would take this one. */
  coding: Coding | null;
  /** Whether it has been made already, where one is wanted. */
  isSettled: boolean;
}

interface Known {
  isCompressible: boolean;
  plain: StoredAnswer;
  encoded: Map<Coding, StoredAnswer>;
}

const known = new WeakMap<StoredAnswer, Known>();

function knownOf(stored: StoredAnswer): Known {
  const found = known.get(stored);
  if (found !== undefined) return found;
  const is = isCompressible(stored.status, stored.fields, stored.body.length);
  const plain = is ? { ...stored, fields: withVary(stored.fields) } : stored;
  const made = { isCompressible: is, plain, encoded: new Map() };
  known.set(stored, made);
  return made;
}

export function chooseStored(
  stored: StoredAnswer,
  acceptEncoding: string | undefined,
  choose: CodingChoice,
): Chosen {
  const { isCompressible, plain } = knownOf(stored);
  const coding = isCompressible ? choose(acceptEncoding) : null;
  const isSettled = coding === null || encodedBody(stored.body, coding) !== undefined;
  return { answer: inCoding(stored, coding), plain, coding, isSettled };
}

/** The answer in a coding, or as the site gave it while there is none. */
export function inCoding(stored: StoredAnswer, coding: Coding | null): StoredAnswer {
  const { plain, encoded } = knownOf(stored);
  const body = coding === null ? null : encodedBody(stored.body, coding);
  if (coding === null || body == null) return plain;
  const before = encoded.get(coding);
  if (before?.body === body) return before;
  const answer = { ...plain, fields: encodedFields(plain.fields, coding), body };
  encoded.set(coding, answer);
  return answer;
}
