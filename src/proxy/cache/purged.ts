/** What a purge means by paths and tags. Pure. */
import type { IsForgotten } from './forgotten.ts';
import type { CacheKey } from './key.ts';
import { pathMatcher } from './patterns.ts';

/** @param paths with `*` and `**`; neither paths nor tags: everything */
export function purged(paths: readonly string[], tags: readonly string[]): IsForgotten {
  if (paths.length === 0 && tags.length === 0) return () => true;
  // `/größe/` and `/gr%C3%B6%C3%9Fe/` are one page (RFC 3986 §6.2.2.2), and it does no harm to forget too much.
  const isNamed = pathMatcher([...paths, ...paths.map(decoded)]);
  const wanted = new Set(tags);
  return (key, tagsOfIt) => {
    if (wanted.size > 0 && tagsOfIt.some((tag) => wanted.has(tag))) return true;
    if (paths.length === 0) return false;
    const path = pathOf(key);
    return isNamed(path) || (path.includes('%') && isNamed(decoded(path)));
  };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** The path in a key, without its query. */
function pathOf(key: CacheKey): string {
  const path = key.slice(key.lastIndexOf(' ') + 1);
  const query = path.indexOf('?');
  return query === -1 ? path : path.slice(0, query);
}
