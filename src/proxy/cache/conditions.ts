/** What a conditional or a range request gets of a whole stored answer (RFC 9110 §13 and §14). Pure. */
import { fieldValue, firstValue } from './fields.ts';
import { parseHttpDate } from './http-date.ts';

export type Selection =
  | { status: 200 }
  | { status: 304 }
  /** Bytes from `start` up to and with `end`. */
  | { status: 206; start: number; end: number }
  | { status: 416 };

/**
 * @param stored fields of the answer
 * @param length of its body, in bytes
 */
export function select(
  requestFields: readonly string[],
  stored: readonly string[],
  length: number,
  now: number,
): Selection {
  if (isNotModified(requestFields, stored, now)) return { status: 304 };
  const range = firstValue(requestFields, 'range');
  if (range === undefined || !isRangeOfThis(requestFields, stored, now)) return { status: 200 };
  return rangeOf(range, length);
}

/** RFC 9110 §13.2.2: `If-None-Match` leaves no say to `If-Modified-Since`. */
function isNotModified(
  requestFields: readonly string[],
  stored: readonly string[],
  now: number,
): boolean {
  const wanted = fieldValue(requestFields, 'if-none-match');
  if (wanted !== undefined) {
    const etag = firstValue(stored, 'etag');
    if (wanted.trim() === '*') return true;
    return etag !== undefined && entityTags(wanted).some((tag) => weak(tag) === weak(etag));
  }
  const since = firstValue(requestFields, 'if-modified-since');
  if (since === undefined) return false;
  const at = parseHttpDate(since, now);
  // RFC 9110 §13.1.3: without a Last-Modified nothing can be compared; the date of the answer does as well (RFC 9111 §4.3.2).
  const modified = firstValue(stored, 'last-modified') ?? firstValue(stored, 'date');
  const last = modified === undefined ? null : parseHttpDate(modified, now);
  return at !== null && last !== null && last <= at;
}

/** RFC 9110 §8.8.3: quoted, so that a comma may be inside. */
function entityTags(value: string): string[] {
  return value.match(/(?:W\/)?"[^"]*"/g) ?? [];
}

function weak(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}

/** RFC 9110 §13.1.5: strong comparison, and a date only of something that is not newer. */
function isRangeOfThis(
  requestFields: readonly string[],
  stored: readonly string[],
  now: number,
): boolean {
  const condition = firstValue(requestFields, 'if-range');
  if (condition === undefined) return true;
  if (condition.startsWith('"')) return condition === firstValue(stored, 'etag');
  if (condition.startsWith('W/')) return false;
  const at = parseHttpDate(condition, now);
  const modified = firstValue(stored, 'last-modified');
  return at !== null && modified !== undefined && parseHttpDate(modified, now) === at;
}

/** One range only: several are answered whole, which RFC 9110 §14.2 allows. */
function rangeOf(range: string, length: number): Selection {
  const match = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(range);
  if (!match || (match[1] === '' && match[2] === '')) return { status: 200 };
  if (match[1] === '') {
    const last = Number(match[2]);
    if (last === 0 || length === 0) return { status: 416 };
    return { status: 206, start: Math.max(0, length - last), end: length - 1 };
  }
  const start = Number(match[1]);
  const end = match[2] === '' ? length - 1 : Math.min(Number(match[2]), length - 1);
  if (match[2] !== '' && Number(match[2]) < start) return { status: 200 };
  return start < length ? { status: 206, start, end } : { status: 416 };
}
