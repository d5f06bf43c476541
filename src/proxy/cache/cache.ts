/** The release cache of one worker: what is done with a request, and what is stored of its answer (RFC 9111, design §9). */
import type { CacheConfig } from '../../config/cache-schema.ts';
import { isHashed } from '../../slots/hashed.ts';
import type { PerSlot, Slot } from '../../slots/slot.ts';
import { hitStatus } from './answer-bytes.ts';
import { cacheStatus } from './cache-status.ts';
import { type Collapse, createCollapse, type Leader } from './collapse.ts';
import type { Directives } from './directives.ts';
import { fieldValue, hasField } from './fields.ts';
import type { CacheCounts, CacheRequest, Fill, ServedStored } from './fill.ts';
import { createInvalidation } from './invalidation.ts';
import { type CacheKey, cacheKey, ignoredParameters, releaseOf } from './key.ts';
import type { RequestFacts } from './may-store.ts';
import { cookieMatcher, pathMatcher } from './patterns.ts';
import type { ReleaseFiles } from './release-files.ts';
import { requestDirectives, useOf } from './reuse.ts';
import { createCacheStore } from './store.ts';
import { createStoreFill } from './store-fill.ts';

/** What happens to a request. */
export type Look =
  /** It has nothing to do with the cache. */
  | { what: 'pass' }
  | {
      what: 'answer';
      key: CacheKey;
      served: ServedStored;
      refresh: Fill | null;
      /** The same request gets the same answer, as long as that is fresh: no field of it asks for anything else. */
      isPlain: boolean;
    }
  /** `wait` calls back once another request for the same URL is answered; then one looks again. */
  | { what: 'wait'; key: CacheKey }
  | { what: 'ask'; fill: Fill }
  /** RFC 9111 §5.2.1.7: nothing but a stored answer is wanted, and there is none. */
  | { what: 'refuse' };

export interface ReleaseCache {
  look(request: CacheRequest, slot: Slot): Look;
  collapse: Pick<Collapse, 'wait' | 'leave'>;
  /** Whether a key is of the release that a slot serves now. */
  serves(slot: Slot, key: CacheKey): boolean;
  counts: CacheCounts;
  /** Whether this is still what is stored under this key. */
  holds(key: CacheKey, served: ServedStored['stored']): boolean;
  /** The slots serve these from now on; what belongs to others is forgotten. */
  follow(releases: PerSlot<string | null>): void;
  /** @param paths with `*` and `**`; none of them: all of it. @returns how many URLs were forgotten */
  purge(paths: readonly string[]): number;
  entries(): number;
  bytes(): number;
}

const PASS: Look = { what: 'pass' };

/** Fields that say where a request came from, and that a site may answer by. */
const FORWARDED = /^x-forwarded-(?!for$)/i;

export function createReleaseCache(
  config: CacheConfig,
  files: ReleaseFiles,
  now: () => number = Date.now,
): ReleaseCache {
  const store = createCacheStore(config.maxBytes);
  const collapse = createCollapse();
  const isIgnored = ignoredParameters(config.ignoreQuery);
  const isUntilRelease = pathMatcher(config.untilRelease);
  const isExcepted = pathMatcher(config.except);
  const hasForeign = cookieMatcher(config.ignoreCookies);
  const counts: CacheCounts = { hit: 0, stale: 0, revalidated: 0, miss: 0, bypass: 0 };
  let serving: PerSlot<string | null> = { blue: null, green: null };
  let live = new Set<string>();

  const parts = { config, store, counts, now, serving: (slot: Slot) => serving[slot] };

  const factsOf = ({ method, path, headers }: CacheRequest, release: string): RequestFacts => {
    const query = path.indexOf('?');
    const bare = query === -1 ? path : path.slice(0, query);
    const cookies = fieldValue(headers, 'cookie');
    const hasCookie = cookies !== undefined && hasForeign(cookies);
    return {
      method,
      fields: headers,
      // A site may show a file to those only who are signed in; a hashed one is no secret.
      isReleaseFile: (!hasCookie || isHashed(bare)) && files.has(release, bare),
      isUntilRelease: isUntilRelease(bare) && !isExcepted(bare),
      hasCookie,
    };
  };

  const fillFor = (
    request: CacheRequest,
    slot: Slot,
    key: CacheKey,
    options: { facts: RequestFacts; leader: Leader | null; stored?: ServedStored['stored'] },
  ): Fill => createStoreFill(parts, request, { slot, key, ...options });

  const miss = (
    request: CacheRequest,
    slot: Slot,
    key: CacheKey,
    asked: Directives,
    facts: RequestFacts,
  ): Look => {
    if (asked.has('only-if-cached')) return { what: 'refuse' };
    counts.miss++;
    const isShared = request.method === 'GET' && isForAnybody(request, facts, asked);
    const leader = isShared ? collapse.lead(key) : null;
    return { what: 'ask', fill: fillFor(request, slot, key, { facts, leader }) };
  };

  return {
    look(request, slot) {
      const release = serving[slot];
      if (release === null) return PASS;
      const { method, headers } = request;
      const key = keyOf(request, release, isIgnored);
      if (method !== 'GET' && method !== 'HEAD') {
        return { what: 'ask', fill: createInvalidation(store, request, key, live) };
      }
      const asked = requestDirectives(headers);
      const stored = store.find(key, headers);
      const facts = factsOf(request, release);
      if (stored === undefined) {
        if (isForAnybody(request, facts, asked) && collapse.isLed(key))
          return { what: 'wait', key };
        return miss(request, slot, key, asked, facts);
      }
      if (stored.isAnonymous && facts.hasCookie) {
        counts.bypass++;
        const fill = fillFor(request, slot, key, { facts, leader: null });
        fill.status = cacheStatus({ kind: 'fwd', why: 'request' });
        return { what: 'ask', fill };
      }
      const use = useOf(stored.lifetime, asked, now());
      if (use.how === 'revalidate') {
        if (asked.has('only-if-cached')) return { what: 'refuse' };
        const fill = fillFor(request, slot, key, { facts, leader: null, stored });
        return { what: 'ask', fill };
      }
      const served = { stored, status: hitStatus(stored, now()) };
      if (use.how === 'fresh') {
        counts.hit++;
        const isPlain = method === 'GET' && asked.size === 0 && !isConditional(headers);
        return { what: 'answer', key, served, refresh: null, isPlain };
      }
      counts.stale++;
      const leader = collapse.lead(`refresh ${key}`);
      const refresh = leader ? fillFor(request, slot, key, { facts, leader, stored }) : null;
      return { what: 'answer', key, served, refresh, isPlain: false };
    },
    collapse,
    serves: (slot, key) => serving[slot] === releaseOf(key),
    counts,
    holds: (key, stored) => store.holds(key, stored),
    follow(releases) {
      serving = releases;
      live = new Set([releases.blue, releases.green].filter((one) => one !== null));
      files.follow(live);
      store.keep(live);
    },
    purge(paths) {
      if (paths.length === 0) return store.purge(() => true);
      const isNamed = pathMatcher(paths);
      return store.purge((key) => isNamed(pathOf(key)));
    },
    entries: store.entries,
    bytes: store.bytes,
  };
}

/** Whether the answer to this request may be for others too, so that it is worth waiting for. */
function isForAnybody({ headers }: CacheRequest, facts: RequestFacts, asked: Directives): boolean {
  if (facts.hasCookie || asked.has('no-store') || asked.has('no-cache')) return false;
  return !hasField(headers, 'authorization') && !hasField(headers, 'range');
}

/** RFC 9110 §13.1 and §14.2. */
function isConditional(headers: readonly string[]): boolean {
  return ['if-none-match', 'if-modified-since', 'range'].some((name) => hasField(headers, name));
}

function keyOf(
  { path, headers }: CacheRequest,
  release: string,
  isIgnored: (parameter: string) => boolean,
): CacheKey {
  let host = headers[1] as string;
  let scheme: 'http' | 'https' = 'http';
  // What a trusted proxy says of its visitor may change an answer, so that it is a part of the key.
  for (let i = 2; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length < 14 || !FORWARDED.test(name)) continue;
    const value = headers[i + 1] as string;
    if (name === 'X-Forwarded-Proto' && (value === 'http' || value === 'https')) scheme = value;
    else if (name !== 'X-Forwarded-Host' || value !== headers[1]) {
      host += `|${name}=${encodeURIComponent(value)}`;
    }
  }
  return cacheKey(release, scheme, host, path, isIgnored);
}

/** The path in a key, without its query. */
function pathOf(key: CacheKey): string {
  const path = key.slice(key.lastIndexOf(' ') + 1);
  const query = path.indexOf('?');
  return query === -1 ? path : path.slice(0, query);
}
