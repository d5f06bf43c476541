/** How old a stored answer is, and how long it is fresh (RFC 9111 §4.2). Pure; times are milliseconds since 1970. */
import { CACHE_CONTROL_HEADER } from '../../slots/headers.ts';
import { type Directives, readDirectives, seconds } from './directives.ts';
import { fieldValue, firstValue } from './fields.ts';
import { parseHttpDate } from './http-date.ts';

/** What decides how long an answer may be kept, in the order in which it is asked (RFC 9213 §2.2). */
const TARGETED_FIELDS = [CACHE_CONTROL_HEADER, 'cdn-cache-control'];

/** An answer's own word about how it may be stored. */
export interface Policy {
  directives: Directives;
  /** The directives are from a field for us, which leaves no say to `Cache-Control` and `Expires`. */
  isTargeted: boolean;
}

export function policyOf(fields: readonly string[]): Policy {
  for (const name of TARGETED_FIELDS) {
    const value = fieldValue(fields, name);
    const directives = readDirectives(value);
    if (directives.size > 0) return { directives, isTargeted: true };
  }
  return { directives: readDirectives(fieldValue(fields, 'cache-control')), isTargeted: false };
}

/**
 * How long an answer is fresh from its making on, as it says itself (RFC 9111 §4.2.1), in milliseconds.
 *
 * @returns `null` when it does not say
 */
export function lifetimeMs(
  fields: readonly string[],
  { directives, isTargeted }: Policy,
  receivedAt: number,
): number | null {
  const given = seconds(directives, 's-maxage') ?? seconds(directives, 'max-age');
  if (given !== null) return given * 1000;
  if (isTargeted) return null;
  const expires = fieldValue(fields, 'expires');
  if (expires === undefined) return null;
  const at = parseHttpDate(expires, receivedAt);
  // RFC 9111 §5.3: what is no date, "0" above all, is in the past.
  return at === null ? 0 : Math.max(0, at - dateOf(fields, receivedAt));
}

/** When the answer was made: its `Date`, or when it came if it has none (RFC 9110 §6.6.1). */
export function dateOf(fields: readonly string[], receivedAt: number): number {
  const date = firstValue(fields, 'date');
  return (date === undefined ? null : parseHttpDate(date, receivedAt)) ?? receivedAt;
}

/**
 * How old an answer was when it came (RFC 9111 §4.2.3), in milliseconds.
 *
 * @param requestedAt when its request was sent
 */
export function initialAgeMs(
  fields: readonly string[],
  requestedAt: number,
  receivedAt: number,
): number {
  const apparent = Math.max(0, receivedAt - dateOf(fields, receivedAt));
  // RFC 9111 §5.1: of several values the first counts; what is no number is no age.
  const [first = ''] = (firstValue(fields, 'age') ?? '').split(',');
  const given = /^\s*(\d+)\s*$/.exec(first)?.[1];
  const corrected = (given === undefined ? 0 : Number(given) * 1000) + (receivedAt - requestedAt);
  return Math.max(apparent, corrected);
}
