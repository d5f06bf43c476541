/** A stored answer as it goes out: its fields, and the bytes that plain requests get. */
import { weaken } from '../compress/fields.ts';
import { httpDate } from '../visitor/plain-response.ts';
import { cacheStatus } from './cache-status.ts';
import { withoutFields } from './fields.ts';
import { ageMs } from './reuse.ts';
import { LONGEST_JOINED, type StoredAnswer } from './stored.ts';

/**
 * The fields of a stored answer for a visitor. One that is right until the flip is as good as made now: it gets the
 * present time, for with the age of a release no browser would keep it. Any other gets its age (RFC 9111 §5.1).
 *
 * @param status for `Cache-Status`
 */
export function answerFields(stored: StoredAnswer, status: string, now: number): string[] {
  const { fields, lifetime } = stored;
  const isUntilFlip = lifetime.freshMs === Number.POSITIVE_INFINITY;
  const out: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const isDate = isUntilFlip && name.length === 4 && name.toLowerCase() === 'date';
    out.push(name, isDate ? httpDate() : (fields[i + 1] as string));
  }
  const ageS = isUntilFlip ? 0 : Math.floor(ageMs(lifetime, now) / 1000);
  out.push('Age', String(ageS), 'Cache-Status', status);
  return out;
}

/** `Cache-Status` of an answer from memory. */
export function hitStatus({ lifetime }: StoredAnswer, now: number, detail?: string): string {
  const ttlS = (lifetime.freshMs - ageMs(lifetime, now)) / 1000;
  return cacheStatus({ kind: 'hit', ttlS, ...(detail !== undefined && { detail }) });
}

/** RFC 9110 §15.4.5 and §15.5.17: what describes the body is not said where there is none of it. */
const OF_BODY = new Set(['content-type', 'content-encoding', 'content-language', 'content-range']);

export function withoutBodyFields(fields: readonly string[]): string[] {
  return withoutFields(fields, OF_BODY);
}

/**
 * The fields of a 304.
 *
 * @param fields as `answerFields` gives them
 * @param isWeak the visitor has a weak tag of the site's strong one, whichever coding it would get now
 */
export function notModifiedFields(fields: readonly string[], isWeak: boolean): string[] {
  const kept = withoutBodyFields(fields);
  if (isWeak) weaken(kept);
  return kept;
}

/** Head and body, or both in one. */
export interface AnswerBytes {
  /** Since 1970, in seconds: `Date` and `Age` are made anew once a second at most. */
  second: number;
  head: Buffer;
  /** `null` when the head has it. */
  body: Buffer | null;
}

const made = new WeakMap<StoredAnswer, AnswerBytes>();

/** @param connectionFields lines on the connection, the same for all that are kept open */
export function answerBytes(
  stored: StoredAnswer,
  connectionFields: string,
  now: number,
): AnswerBytes {
  const second = Math.floor(now / 1000);
  const known = made.get(stored);
  if (known !== undefined && known.second === second) return known;
  const { status, reason, body } = stored;
  const lines = linesOf(answerFields(stored, hitStatus(stored, now), now));
  const text = `HTTP/1.1 ${status} ${reason}\r\n${lines}Content-Length: ${body.length}\r\n${connectionFields}\r\n`;
  const isJoined = body.length <= LONGEST_JOINED;
  // Not from Node's pool, of which a small piece would keep all.
  const head = Buffer.allocUnsafeSlow(text.length + (isJoined ? body.length : 0));
  head.write(text, 'latin1');
  if (isJoined) head.set(body, text.length);
  const bytes = { second, head, body: isJoined ? null : body };
  made.set(stored, bytes);
  return bytes;
}

const madeNotModified = new WeakMap<StoredAnswer, AnswerBytes & { isWeak: boolean }>();

/** A 304; of the two that there may be of an answer the last one is kept. */
export function notModifiedBytes(
  stored: StoredAnswer,
  isWeak: boolean,
  connectionFields: string,
  now: number,
): AnswerBytes {
  const second = Math.floor(now / 1000);
  const known = madeNotModified.get(stored);
  if (known !== undefined && known.second === second && known.isWeak === isWeak) return known;
  const fields = answerFields(stored, hitStatus(stored, now), now);
  const text = `HTTP/1.1 304 Not Modified\r\n${linesOf(notModifiedFields(fields, isWeak))}${connectionFields}\r\n`;
  const head = Buffer.allocUnsafeSlow(text.length);
  head.write(text, 'latin1');
  const bytes = { second, head, body: null, isWeak };
  madeNotModified.set(stored, bytes);
  return bytes;
}

function linesOf(fields: readonly string[]): string {
  let text = '';
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return text;
}
