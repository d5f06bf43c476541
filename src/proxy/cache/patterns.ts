/** Paths and cookies that the config names. Pure. */

/** Whether a path is one that these patterns name: `*` is anything but a slash, `**` anything. */
export function pathMatcher(patterns: readonly string[]): (path: string) => boolean {
  if (patterns.length === 0) return () => false;
  const any = new RegExp(`^(?:${patterns.map(toExpression).join('|')})$`);
  return (path) => any.test(path);
}

function toExpression(pattern: string): string {
  return pattern
    .split(/(\*\*|\*)/)
    .map((part) => {
      if (part === '**') return '.*';
      return part === '*' ? '[^/]*' : part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&');
    })
    .join('');
}

/**
 * Whether a request brings a cookie that these names do not cover.
 *
 * @param patterns names of cookies; a `*` at the end stands for any rest
 */
export function cookieMatcher(patterns: readonly string[]): (cookies: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')));
  const prefixes = patterns.filter((pattern) => pattern.endsWith('*')).map((p) => p.slice(0, -1));
  const isIgnored = (name: string) =>
    exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
  return (cookies) =>
    cookies.split(/[;,]/).some((cookie) => {
      const name = (cookie.split('=', 1)[0] as string).trim();
      return name !== '' && !isIgnored(name);
    });
}
