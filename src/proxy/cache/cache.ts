/** The release cache of one worker: what is done with a request, and what is stored of its answer (RFC 9111, design §9). */
import type { CacheConfig } from '../../config/cache-schema.ts';
import { isHashed } from '../../slots/hashed.ts';
import type { PerSlot, Slot } from '../../slots/slot.ts';
import type { CacheCounts } from '../../wire/messages.ts';
import { hitStatus } from './answer-bytes.ts';
import { cacheStatus, MISS_STATUS } from './cache-status.ts';
import { type Collapse, createCollapse } from './collapse.ts';
import type { Directives } from './directives.ts';
import { type CacheRequest, type Fill, type ServedStored, unwatched } from './fill.ts';
import { createForgotten } from './forgotten.ts';
import { createInvalidation } from './invalidation.ts';
import { type CacheKey, cacheKey, ignoredParameters, releaseOf, requestOf } from './key.ts';
import type { RequestFacts } from './may-store.ts';
import { cookieMatcher, pathMatcher } from './patterns.ts';
import { purged } from './purged.ts';
import type { ReleaseFiles } from './release-files.ts';
import { type RequestView, viewOf } from './request-view.ts';
import { requestDirectives, useOf } from './reuse.ts';
import { createCacheStore } from './store.ts';
import { type FillOptions, StoreFill } from './store-fill.ts';

/** What happens to a request. */
export type Look =
  /** It has nothing to do with the cache. */
  | { what: 'pass' }
  | {
      what: 'answer';
      key: CacheKey;
      served: ServedStored;
      refresh: Fill | null;
      /** The same request gets the same, as long as that is fresh: no field of it asks for a part, or says what may be stored. */
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
  /** What is stored under a key, if it has this mark still. */
  marked(key: CacheKey, mark: object): ServedStored['stored'] | undefined;
  /** Whether anything is stored under a key. */
  has(key: CacheKey): boolean;
  /** What a slot's release has stored, by the requests that stand for it; that asked for last comes first. */
  requestsOf(slot: Slot): Iterable<CacheRequest>;
  /** Watches the answer to a request that no visitor has made; `null`: it is stored, or being asked for. */
  fillAhead(request: CacheRequest, slot: Slot): Fill | null;
  /** More has been made of what is stored under a key. */
  grown(key: CacheKey): void;
  /** The slots serve these from now on; what belongs to others is forgotten. */
  follow(releases: PerSlot<string | null>): void;
  /**
   * Forgets what is stored of these paths or has one of these tags, and all of it where neither is named.
   *
   * @param paths with `*` and `**`
   * @returns how many answers were forgotten
   */
  purge(paths: readonly string[], tags?: readonly string[]): number;
}

const NOTHING_ASKED: Directives = requestDirectives(undefined, undefined);

const PASS: Look = { what: 'pass' };
const USELESS: Look = { what: 'ask', fill: unwatched(MISS_STATUS) };

export function createReleaseCache(
  config: CacheConfig,
  files: ReleaseFiles,
  now: () => number = Date.now,
): ReleaseCache {
  const store = createCacheStore(config.maxBytes);
  const forgotten = createForgotten();
  const collapse = createCollapse();
  const isIgnored = ignoredParameters(config.ignoreQuery);
  const isUntilRelease = pathMatcher(config.untilRelease);
  const isExcepted = pathMatcher(config.except);
  const hasForeign = cookieMatcher(config.ignoreCookies);
  const counts: CacheCounts = {
    hit: 0,
    stale: 0,
    revalidated: 0,
    miss: 0,
    bypass: 0,
    filled: 0,
    get entries() {
      return store.entries();
    },
    get bytes() {
      return store.bytes();
    },
  };
  let serving: PerSlot<string | null> = { blue: null, green: null };
  let live = new Set<string>();

  const filling = { bytes: 0 };
  const parts = {
    config,
    store,
    forgotten,
    counts,
    filling,
    now,
    serving: (slot: Slot) => serving[slot],
  };

  const factsOf = (
    { method, path }: CacheRequest,
    { cookies, hasAuthorization }: RequestView,
    release: string,
  ): RequestFacts => {
    const query = path.indexOf('?');
    const bare = query === -1 ? path : path.slice(0, query);
    const hasCookie = cookies !== undefined && hasForeign(cookies);
    return {
      method,
      hasAuthorization,
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
    options: Pick<FillOptions, 'facts' | 'asked' | 'leader' | 'stored'>,
  ): Fill => new StoreFill(parts, request, { slot, key, ...options });

  const miss = (
    request: CacheRequest,
    slot: Slot,
    key: CacheKey,
    view: RequestView,
    asked: Directives,
    facts: RequestFacts,
  ): Look => {
    if (asked.has('only-if-cached')) return { what: 'refuse' };
    counts.miss++;
    const isShared = request.method === 'GET' && isForAnybody(view, facts, asked);
    const leader = isShared ? collapse.lead(key) : null;
    return { what: 'ask', fill: fillFor(request, slot, key, { facts, asked, leader }) };
  };

  return {
    look(request, slot) {
      const release = serving[slot];
      if (release === null) return PASS;
      const { method, headers } = request;
      const view = viewOf(headers);
      const key = cacheKey(release, view.scheme, view.host, request.path, isIgnored);
      if (method !== 'GET' && method !== 'HEAD') {
        return { what: 'ask', fill: createInvalidation(store, forgotten, request, key, live) };
      }
      // Most URLs that come again at once are such ones, and what the cache would find out is known.
      if (view.cacheControl === undefined && collapse.isUseless(key) && !store.has(key)) {
        counts.miss++;
        return USELESS;
      }
      const asked = requestDirectives(view.cacheControl, view.pragma);
      const stored = store.find(key, headers);
      const facts = factsOf(request, view, release);
      if (stored === undefined) {
        if (collapse.isLed(key) && isForAnybody(view, facts, asked)) return { what: 'wait', key };
        return miss(request, slot, key, view, asked, facts);
      }
      if (stored.isAnonymous && facts.hasCookie) {
        counts.bypass++;
        const fill = fillFor(request, slot, key, { facts, asked, leader: null });
        fill.status = cacheStatus({ kind: 'fwd', why: 'request' });
        return { what: 'ask', fill };
      }
      const use = useOf(stored.lifetime, asked, now());
      if (use.how === 'revalidate') {
        if (asked.has('only-if-cached')) return { what: 'refuse' };
        const fill = fillFor(request, slot, key, { facts, asked, leader: null, stored });
        return { what: 'ask', fill };
      }
      const served = { stored, status: hitStatus(stored, now()) };
      if (use.how === 'fresh') {
        counts.hit++;
        const isPlain = method === 'GET' && asked.size === 0 && !view.hasRange;
        return { what: 'answer', key, served, refresh: null, isPlain };
      }
      counts.stale++;
      const leader = collapse.lead(`refresh ${key}`);
      const refresh = leader ? fillFor(request, slot, key, { facts, asked, leader, stored }) : null;
      return { what: 'answer', key, served, refresh, isPlain: false };
    },
    collapse,
    serves: (slot, key) => serving[slot] === releaseOf(key),
    counts,
    *requestsOf(slot) {
      const prefix = `${serving[slot]} `;
      for (const key of store.keys()) {
        const request = key.startsWith(prefix) ? requestOf(key) : null;
        if (request !== null) yield { method: 'GET', ...request };
      }
    },
    fillAhead(request, slot) {
      const release = serving[slot];
      if (release === null) return null;
      const view = viewOf(request.headers);
      const key = cacheKey(release, view.scheme, view.host, request.path, isIgnored);
      if (store.has(key)) return null;
      const leader = collapse.lead(key);
      if (leader === null) return null;
      counts.filled = (counts.filled ?? 0) + 1;
      const facts = factsOf(request, view, release);
      return fillFor(request, slot, key, { facts, asked: NOTHING_ASKED, leader });
    },
    marked: store.marked,
    has: store.has,
    grown: store.grown,
    follow(releases) {
      serving = releases;
      live = new Set([releases.blue, releases.green].filter((one) => one !== null));
      files.follow(live);
      store.keep(live);
    },
    purge(paths, tags = []) {
      const isGone = purged(paths, tags);
      forgotten.add(isGone);
      return store.purge(isGone);
    },
  };
}

/** Whether the answer to this request may be for others too, so that it is worth waiting for. */
function isForAnybody(view: RequestView, facts: RequestFacts, asked: Directives): boolean {
  if (facts.hasCookie || view.hasAuthorization || view.hasRange) return false;
  return !asked.has('no-store') && !asked.has('no-cache');
}
