/** Stored answers that a later message changes: a 304 (RFC 9111 §3.2), or an unsafe request (§4.4). Pure. */
import { firstValue, withoutFields } from './fields.ts';

/** What a 304 may not change: it is about the stored body, or about one connection. */
const KEPT = new Set([
  'content-encoding',
  'content-length',
  'content-md5',
  'content-range',
  'transfer-encoding',
  'connection',
  'keep-alive',
]);

/** The stored answer's fields after the slot has said 304. */
export function updatedFields(stored: readonly string[], by304: readonly string[]): string[] {
  const news = withoutFields(by304, KEPT);
  const names = new Set<string>();
  for (let i = 0; i < news.length; i += 2) names.add((news[i] as string).toLowerCase());
  return [...withoutFields(stored, names), ...news];
}

/**
 * Whether a 304 is about another answer than the stored one (RFC 9111 §4.3.4): it names another strong tag. A site that looks at
 * the date alone says so of what has changed twice within a second.
 */
export function isOfAnother(stored: readonly string[], by304: readonly string[]): boolean {
  const [tag, known] = [firstValue(by304, 'etag'), firstValue(stored, 'etag')];
  if (tag === undefined || known === undefined || !tag.startsWith('"')) return false;
  return tag !== known.replace(/^W\//, '');
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Whether an answer to this request makes what is stored of its URL wrong (RFC 9111 §4.4). */
export function invalidates(method: string, status: number): boolean {
  return !SAFE.has(method) && status >= 200 && status < 400;
}

/** The other URLs of the same host that the answer names, as paths: they have changed as well. */
export function alsoInvalid(fields: readonly string[], path: string, host: string): string[] {
  return ['location', 'content-location'].flatMap((name) => {
    const value = firstValue(fields, name);
    if (value === undefined) return [];
    const base = `http://${host}${path}`;
    if (!URL.canParse(value, base)) return [];
    const url = new URL(value, base);
    return url.host === host.toLowerCase() ? [url.pathname + url.search] : [];
  });
}
