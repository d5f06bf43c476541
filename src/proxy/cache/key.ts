/** What names a stored answer: its release and the target URI (RFC 9111 §2). Pure. */

/** Release, scheme, host, and path with query, apart by spaces, which none of them can have. */
export type CacheKey = string;

/**
 * @param path path and query as the slot gets them
 * @param isIgnored tells parameters of the query that change no answer (`cache.ignoreQuery`)
 */
export function cacheKey(
  release: string,
  scheme: 'http' | 'https',
  host: string,
  path: string,
  isIgnored: (parameter: string) => boolean,
): CacheKey {
  const query = path.indexOf('?');
  const reduced = query === -1 ? path : withoutIgnored(path, query, isIgnored);
  return `${release} ${scheme} ${host.toLowerCase()} ${reduced}`;
}

/** Order and spelling of what is left stay as they are: the site may tell them apart. */
function withoutIgnored(
  path: string,
  query: number,
  isIgnored: (parameter: string) => boolean,
): string {
  const kept = path
    .slice(query + 1)
    .split('&')
    .filter((parameter) => !isIgnored(parameter.split('=', 1)[0] as string));
  return kept.length === 0 ? path.slice(0, query) : `${path.slice(0, query)}?${kept.join('&')}`;
}

/** @param patterns names of parameters; a `*` at the end stands for any rest */
export function ignoredParameters(patterns: readonly string[]): (parameter: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')));
  const prefixes = patterns.filter((pattern) => pattern.endsWith('*')).map((p) => p.slice(0, -1));
  return (parameter) =>
    exact.has(parameter) || prefixes.some((prefix) => parameter.startsWith(prefix));
}

/**
 * The address of nobody (RFC 5737): a site may show more to its own machine, and what it gives is for visitors.
 */
const NOBODY = '192.0.2.1';

/** The request that a key stands for; `null` where what a trusted proxy has said of its visitor is a part of it. */
export function requestOf(key: CacheKey): { path: string; headers: string[] } | null {
  const [, scheme, host, path] = key.split(' ') as [string, string, string, string];
  if (host.includes('|')) return null;
  const headers = [
    ...['Host', host, 'X-Forwarded-For', NOBODY],
    ...['X-Forwarded-Proto', scheme, 'X-Forwarded-Host', host],
  ];
  return { path, headers };
}

/** The release that a key belongs to. */
export function releaseOf(key: CacheKey): string {
  return key.slice(0, key.indexOf(' '));
}
