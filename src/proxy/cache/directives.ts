/** Cache-Control and its relatives, read as a shared cache must read them. Pure. */

/** Directives by lower-case name; `null` for one without a value. */
export type Directives = ReadonlyMap<string, string | null>;

/** RFC 9110 §5.6.2 and §5.6.4: a token, and what may follow it: `=` and a token or a quoted string. */
const DIRECTIVE = /\s*([!#$%&'*+\-.^_`|~\w]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?\s*/y;

/** RFC 9111 §1.2.2: greater delta-seconds count as this, in seconds. */
const GREATEST_SECONDS = 2 ** 31;

/** Directives that forbid: one that stands in what cannot be read counts all the same. */
const FORBIDDING = /(?<![\w-])(?:no-store|no-cache|private)(?![\w-])/gi;

const NONE: Directives = new Map();

/**
 * Reads a `Cache-Control` (RFC 9111 §5.2) or a targeted field (RFC 9213): a list of directives. What cannot be read is
 * passed over up to the next comma, except that `private;` still forbids (RFC 9111 §4.2.1 has a cache take what is invalid
 * for the stricter thing). A directive that comes twice with different values has none that can be trusted:
 * `max-age` and its like then count as 0 (RFC 9111 §4.2.1).
 *
 * @param value the field's values, joined by commas, or `undefined` when there is none
 */
export function readDirectives(value: string | undefined): Directives {
  if (value === undefined || value === '') return NONE;
  const found = new Map<string, string | null>();
  let at = 0;
  while (at < value.length) {
    DIRECTIVE.lastIndex = at;
    const match = DIRECTIVE.exec(value);
    const end = match ? DIRECTIVE.lastIndex : at;
    if (match && (end === value.length || value[end] === ',')) {
      const name = (match[1] as string).toLowerCase();
      const given = match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? null;
      found.set(name, found.has(name) && found.get(name) !== given ? '' : given);
      at = end + 1;
      continue;
    }
    const comma = nextComma(value, end);
    for (const [name] of value.slice(at, comma).matchAll(FORBIDDING)) {
      found.set(name.toLowerCase(), null);
    }
    at = comma + 1;
  }
  return found;
}

function nextComma(value: string, from: number): number {
  let quoted = false;
  for (let i = from; i < value.length; i++) {
    if (value[i] === '\\' && quoted) i++;
    else if (value[i] === '"') quoted = !quoted;
    else if (value[i] === ',' && !quoted) return i;
  }
  return value.length;
}

/**
 * The seconds that a directive gives (RFC 9111 §1.2.2).
 *
 * @returns `null` when it is not there; 0 when it is there and cannot be read, which is the safe side for an answer
 */
export function seconds(directives: Directives, name: string): number | null {
  const value = directives.get(name);
  if (value === undefined) return null;
  if (value === null || !/^\d+$/.test(value)) return 0;
  return Math.min(Number(value), GREATEST_SECONDS);
}
