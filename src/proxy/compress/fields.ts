/** The fields of an answer that is compressed, or could have been. Pure. */
import { fieldValue, firstValue, withoutFields } from '../cache/fields.ts';
import { varyNames } from '../cache/vary.ts';
import type { Coding } from './codings.ts';

const VARY: ReadonlySet<string> = new Set(['vary']);

/** Said by every answer of the kind, so that a cache on the way keeps one for each coding (RFC 9110 §12.5.5). */
export function withVary(fields: readonly string[]): string[] {
  const before = fieldValue(fields, 'vary');
  if (before === undefined) return [...fields, 'Vary', 'Accept-Encoding'];
  const names = varyNames(fields);
  if (names.includes('accept-encoding') || names.includes('*')) return [...fields];
  const all = names.length === 0 ? 'Accept-Encoding' : `${before}, Accept-Encoding`;
  return [...withoutFields(fields, VARY), 'Vary', all];
}

/** Ranges and lengths of the site are those of other bytes. */
const OF_PLAIN_BYTES: ReadonlySet<string> = new Set(['content-length', 'accept-ranges']);

/** @param fields as `withVary` gives them */
export function encodedFields(fields: readonly string[], coding: Coding): string[] {
  const kept = withoutFields(fields, OF_PLAIN_BYTES);
  weaken(kept);
  kept.push('Content-Encoding', coding);
  return kept;
}

/** RFC 9110 §8.8.1: a strong tag is one of these bytes. */
export function weaken(fields: string[]): void {
  for (let i = 0; i < fields.length; i += 2) {
    const value = fields[i + 1] as string;
    if (value.startsWith('"') && (fields[i] as string).toLowerCase() === 'etag')
      fields[i + 1] = `W/${value}`;
  }
}

/** Whether a visitor asks with the tag that we have made weak, and that the site has as a strong one. */
export function asksWithWeakened(
  requestFields: readonly string[],
  fields: readonly string[],
): boolean {
  const asked = fieldValue(requestFields, 'if-none-match');
  if (asked === undefined) return false;
  const etag = firstValue(fields, 'etag');
  return etag?.startsWith('"') === true && asked.includes(`W/${etag}`);
}
