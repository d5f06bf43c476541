/**
 * `two-slots/astro-cache`: Astro 7's route caching over the release cache of the proxy, so that what one instance
 * invalidates is forgotten by every worker, whichever instance has made it.
 *
 * ```js
 * // astro.config.mjs
 * import { slotsCache } from 'two-slots/astro-cache';
 * export default defineConfig({ cache: { provider: slotsCache() }, … });
 * ```
 */
import { request } from 'node:http';
import { LONGEST_TAG, MOST_PURGED, writeTags } from '../slots/cache-tags.ts';
import { type SitePaths, sitePaths } from '../slots/paths.ts';
import { siteRoot } from '../slots/site-root.ts';
import { isOwnSocket } from '../slots/socket-owner.ts';

/** A controller that does not answer by then hangs, in milliseconds. */
const ANSWER_TIMEOUT_MS = 10_000;

/** `Astro.cache.options`, times in seconds. */
export interface CacheOptions {
  maxAge?: number;
  /** How long after `maxAge` an answer may be given while it is asked for anew. */
  swr?: number;
  tags?: string[];
  lastModified?: Date;
  etag?: string;
}

/** What `Astro.cache.invalidate()` is given: what has this path, or one of these tags. */
export interface InvalidateOptions {
  path?: string;
  tags?: string | string[];
}

/** Astro's `CacheProvider`. */
export interface SlotsCacheProvider {
  name: string;
  setHeaders(options: CacheOptions): Headers;
  invalidate(options: InvalidateOptions): Promise<void>;
}

/** For `cache.provider` of astro.config. */
export function slotsCache(): { name: string; entrypoint: string } {
  return { name: 'slots', entrypoint: 'two-slots/astro-cache' };
}

/** Astro's `CacheProviderFactory`; Astro calls it in each of the site's processes. */
export default function createProvider(): SlotsCacheProvider {
  return {
    name: 'slots',
    setHeaders: toFields,
    async invalidate(options) {
      // In `astro preview` and the like nothing stands before the site, and nothing is stored.
      const root = process.env.SLOTS_ROOT;
      if (root === undefined) return;
      const paths = sitePaths(siteRoot(root));
      for (const body of purgesFor(options)) await purge(paths, body);
    },
  };
}

/** The fields are for the release cache: no visitor gets them, and no CDN, whose copy nobody here could invalidate. */
function toFields({ maxAge, swr, tags = [], lastModified, etag }: CacheOptions): Headers {
  const fields = new Headers();
  const directives = [
    ...(maxAge === undefined ? [] : [`max-age=${maxAge}`]),
    ...(swr === undefined ? [] : [`stale-while-revalidate=${swr}`]),
  ];
  if (directives.length > 0) fields.set('Slots-Cache-Control', directives.join(', '));
  if (tags.length > 0) fields.set('Slots-Cache-Tag', writeTags(tags));
  if (lastModified) fields.set('Last-Modified', lastModified.toUTCString());
  if (etag) fields.set('ETag', etag);
  return fields;
}

/** Bodies for `POST /api/purge`, none where nothing is named: an empty one would mean everything. */
function purgesFor({ path, tags = [] }: InvalidateOptions): object[] {
  // No stored answer has a longer tag.
  const wanted = [...new Set([tags].flat())].filter(
    ({ length }) => length > 0 && length <= LONGEST_TAG,
  );
  const bodies: object[] = path === undefined ? [] : [{ paths: pathsOf(path) }];
  for (let i = 0; i < wanted.length; i += MOST_PURGED) {
    bodies.push({ tags: wanted.slice(i, i + MOST_PURGED) });
  }
  return bodies;
}

/** With and without the slash at its end, which Astro takes for one page; all queries of it. */
function pathsOf(path: string): string[] {
  const { pathname } = new URL(path, 'http://localhost');
  const bare = pathname.replace(/\/+$/, '');
  return bare === '' ? ['/'] : [bare, `${bare}/`];
}

/** @throws Error when no controller answers, or it refuses */
function purge(paths: SitePaths, body: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) =>
      reject(new Error(`slots could not invalidate the cache: ${why}`, { cause }));
    if (!isOwnSocket(paths)) {
      fail(`${paths.controlSocket} belongs to another user`);
      return;
    }
    const outgoing = request({
      socketPath: paths.controlSocket,
      method: 'POST',
      path: '/api/purge',
      agent: false,
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    outgoing.on('error', (error) => fail(`no controller answers (${paths.controlSocket})`, error));
    outgoing.on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      answer.on('error', (error) => fail('the controller broke off', error));
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve();
        else fail(`the controller answered ${answer.statusCode}: ${text}`);
      });
    });
    outgoing.end(JSON.stringify(body));
  });
}
