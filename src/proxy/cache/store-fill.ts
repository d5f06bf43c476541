import type { CacheConfig } from '../../config/cache-schema.ts';
import type { Slot } from '../../slots/slot.ts';
import type { AnswerHead } from '../slot/answer-head.ts';
import { hitStatus } from './answer-bytes.ts';
import { cacheStatus } from './cache-status.ts';
import type { Leader } from './collapse.ts';
import { firstValue, withoutFields } from './fields.ts';
import type { CacheCounts, CacheRequest, Fill, ServedStored } from './fill.ts';
import { policyOf } from './freshness.ts';
import { type CacheKey, releaseOf } from './key.ts';
import { mayStore, type Permission, type RequestFacts } from './may-store.ts';
import { mayReplaceError, requestDirectives } from './reuse.ts';
import type { CacheStore } from './store.ts';
import { lifetimeOf, type Received, type StoredAnswer, sizeOf, toStored } from './stored.ts';
import { updatedFields } from './update.ts';

export interface FillParts {
  config: CacheConfig;
  store: CacheStore;
  counts: CacheCounts;
  now(): number;
  /** The release that a slot serves at this instant. */
  serving(slot: Slot): string | null;
}

export interface FillOptions {
  slot: Slot;
  key: CacheKey;
  facts: RequestFacts;
  leader: Leader | null;
  /** Is asked about, or stands in when the slot fails. */
  stored?: StoredAnswer | undefined;
}

/** Of the visitor's own: the question is about the stored answer. */
const CONDITIONS = new Set([
  'if-none-match',
  'if-modified-since',
  'if-match',
  'if-unmodified-since',
  'if-range',
  'range',
]);

/** RFC 5861 §4 names these. */
const FAILURES = new Set([500, 502, 503, 504]);

/** Watches the answer to one GET or HEAD, and stores it if it may be. */
export function createStoreFill(
  parts: FillParts,
  request: CacheRequest,
  { slot, key, facts, leader, stored }: FillOptions,
): Fill {
  const { config, store, counts, now } = parts;
  const requestedAt = now();
  const isNoStore = requestDirectives(request.headers).has('no-store');
  let received: Omit<Received, 'body'> | null = null;
  let pieces: Buffer[] = [];
  let length = 0;

  const giveUp = (isUseless: boolean) => {
    received = null;
    pieces = [];
    leader?.done(isUseless);
  };

  /** The answer is of the release that the request was for: a fail-over or a flip may have come between. */
  const isOfThisRelease = (from: Slot) => from === slot && parts.serving(slot) === releaseOf(key);

  const revalidated = (answer: StoredAnswer, by304: readonly string[]): ServedStored => {
    const fields = updatedFields(answer.fields, by304);
    const policy = policyOf(fields);
    const permission: Permission = answer.isAnonymous ? 'until-release' : permissionOf(answer);
    const times = { requestedAt, receivedAt: now() };
    const { staleIfErrorMs } = config;
    const lifetime = lifetimeOf({ policy, permission, fields, staleIfErrorMs, ...times });
    const fresh = { ...answer, fields, lifetime };
    const updated = { ...fresh, size: sizeOf(fresh) };
    store.put(key, updated);
    counts.revalidated++;
    return { stored: updated, status: hitStatus(updated, now(), 'REVALIDATED') };
  };

  return {
    headers: stored ? questionFields(request.headers, stored) : request.headers,
    status: cacheStatus({ kind: 'fwd', why: stored ? 'stale' : 'uri-miss' }),

    begin(from, head, fields) {
      const isOurs = isOfThisRelease(from);
      if (stored && isOurs && head.status === 304) {
        const served = revalidated(stored, fields);
        giveUp(false);
        return served;
      }
      if (stored && FAILURES.has(head.status) && mayReplaceError(stored.lifetime, now())) {
        giveUp(false);
        return standIn(stored, now(), counts);
      }
      if (stored) counts.miss++;
      const verdict = mayStore(facts, head.status, fields, now());
      if (!isOurs || isNoStore || !verdict.store || !canBeWhole(head, config.maxEntryBytes)) {
        giveUp(true);
        return null;
      }
      received = {
        status: head.status,
        reason: head.reason,
        fields,
        requestFields: request.headers,
        requestedAt,
        receivedAt: now(),
        policy: verdict.policy,
        permission: verdict.why,
        staleIfErrorMs: config.staleIfErrorMs,
      };
      this.status = cacheStatus({
        kind: 'fwd',
        why: stored ? 'stale' : 'uri-miss',
        fwdStatus: head.status,
        stored: true,
      });
      return null;
    },

    data(bytes) {
      if (received === null) return;
      length += bytes.length;
      if (length > config.maxEntryBytes) giveUp(true);
      else pieces.push(bytes);
    },

    end() {
      if (received !== null && isOfThisRelease(slot)) {
        store.put(key, toStored({ ...received, body: joined(pieces, length) }));
      }
      giveUp(false);
    },

    fail() {
      giveUp(false);
      if (!stored || !mayReplaceError(stored.lifetime, now())) return null;
      return standIn(stored, now(), counts);
    },

    drop() {
      giveUp(false);
    },
  };
}

function standIn(stored: StoredAnswer, now: number, counts: CacheCounts): ServedStored {
  counts.stale++;
  return { stored, status: hitStatus(stored, now, 'STALE-IF-ERROR') };
}

/** One that ends with its connection may be a part, and nobody can tell. */
function canBeWhole({ status, known }: AnswerHead, most: number): boolean {
  const length = known['content-length'];
  if (length !== undefined) return Number(length) <= most;
  return known['transfer-encoding'] !== undefined || status === 204;
}

/** Asks whether the stored answer is right still (RFC 9111 §4.3.1). */
function questionFields(headers: string[], stored: StoredAnswer): string[] {
  const etag = firstValue(stored.fields, 'etag');
  const modified = firstValue(stored.fields, 'last-modified');
  if (etag === undefined && modified === undefined) return headers;
  const fields = withoutFields(headers, CONDITIONS);
  if (etag !== undefined) fields.push('If-None-Match', etag);
  if (modified !== undefined) fields.push('If-Modified-Since', modified);
  return fields;
}

function permissionOf({ lifetime }: StoredAnswer): Permission {
  return lifetime.freshMs === Number.POSITIVE_INFINITY ? 'release-file' : 'explicit';
}

/** In memory of its own: the pieces are cut from larger ones, which would be kept whole. */
function joined(pieces: readonly Buffer[], length: number): Buffer {
  const body = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const piece of pieces) {
    body.set(piece, at);
    at += piece.length;
  }
  return body;
}
