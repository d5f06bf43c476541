import type { CacheConfig } from '../../config/cache-schema.ts';
import type { Slot } from '../../slots/slot.ts';
import type { CacheCounts } from '../../wire/messages.ts';
import { toCacheFields } from '../request/fields.ts';
import type { AnswerHead } from '../slot/answer-head.ts';
import { keep } from '../slot/read-buffer.ts';
import { hitStatus } from './answer-bytes.ts';
import { cacheStatus, MISS_STATUS } from './cache-status.ts';
import type { Leader } from './collapse.ts';
import type { Directives } from './directives.ts';
import { firstValue, hasField, withoutFields } from './fields.ts';
import type { CacheRequest, Fill, ServedStored } from './fill.ts';
import type { Forgotten } from './forgotten.ts';
import { policyOf } from './freshness.ts';
import { type CacheKey, releaseOf } from './key.ts';
import { mayStore, type Permission, type RequestFacts, tagsOf } from './may-store.ts';
import { mayReplaceError } from './reuse.ts';
import type { CacheStore } from './store.ts';
import { lifetimeOf, type Received, type StoredAnswer, sizeOf, toStored } from './stored.ts';
import { isOfAnother, updatedFields } from './update.ts';

export interface FillParts {
  config: CacheConfig;
  store: CacheStore;
  forgotten: Forgotten;
  counts: CacheCounts;
  /** What has come of answers that are to be stored: as much as the store itself may take. */
  filling: { bytes: number };
  now(): number;
  /** The release that a slot serves at this instant. */
  serving(slot: Slot): string | null;
}

export interface FillOptions {
  slot: Slot;
  key: CacheKey;
  facts: RequestFacts;
  /** What the request says of caches. */
  asked: Directives;
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

const STALE = cacheStatus({ kind: 'fwd', why: 'stale' });

/** RFC 5861 §4 names these. */
const FAILURES = new Set([500, 502, 503, 504]);

/** Watches the answer to one GET or HEAD, and stores it if it may be. A class: one is made for each that is asked for. */
export class StoreFill implements Fill {
  readonly headers: string[] | null;
  status: string | null;
  readonly #parts: FillParts;
  readonly #request: CacheRequest;
  readonly #options: FillOptions;
  readonly #requestedAt: number;
  readonly #since: number;
  #received: Omit<Received, 'body'> | null = null;
  #pieces: Buffer[] = [];
  #length = 0;
  /** Of the body, where the answer says it; else -1. */
  #wholeLength = -1;

  constructor(parts: FillParts, request: CacheRequest, options: FillOptions) {
    this.#parts = parts;
    this.#request = request;
    this.#options = options;
    this.#requestedAt = parts.now();
    this.#since = parts.forgotten.count();
    const { stored } = options;
    this.headers = stored ? questionFields(request.headers, stored) : wholeFields(request, options);
    this.status = stored ? STALE : MISS_STATUS;
  }

  begin(from: Slot, head: AnswerHead, fields: readonly string[]): ServedStored | null {
    const { stored, facts, asked } = this.#options;
    const { config, counts, now } = this.#parts;
    const isOurs = this.#isOfThisRelease(from);
    const control = toCacheFields(head.fields);
    if (stored) {
      if (isOurs && head.status === 304) return this.#revalidated(stored, fields, control);
      const served = FAILURES.has(head.status) ? this.fail() : null;
      if (served) return served;
      counts.miss++;
    }
    const verdict = mayStore(facts, head.status, together(fields, control), now());
    if (!isOurs || !verdict.store || asked.has('no-store') || !canBeWhole(head, config)) {
      this.#giveUp(true);
      return null;
    }
    this.#wholeLength = Number(head.known['content-length'] ?? -1);
    this.#received = {
      status: head.status,
      reason: head.reason,
      fields: [...fields],
      control,
      tags: verdict.tags,
      requestFields: this.#request.headers,
      requestedAt: this.#requestedAt,
      receivedAt: now(),
      policy: verdict.policy,
      permission: verdict.why,
      isAnonymous: verdict.isAnonymous,
      staleIfErrorMs: config.staleIfErrorMs,
    };
    const why = stored ? 'stale' : 'uri-miss';
    this.status = cacheStatus({ kind: 'fwd', why, fwdStatus: head.status, stored: true });
    return null;
  }

  data(bytes: Buffer): void {
    if (this.#received === null) return;
    const { config, filling } = this.#parts;
    this.#length += bytes.length;
    filling.bytes += bytes.length;
    this.#pieces.push(keep(bytes));
    if (this.#length > config.maxEntryBytes) this.#giveUp(true);
    // Visitors who read slowly would have the worker keep what they are to get.
    else if (filling.bytes > config.maxBytes) this.#giveUp(false);
    // With its last piece the visitor's answer is over, and the exchange with it, before the slot's is.
    else if (this.#length === this.#wholeLength) this.end();
  }

  end(): void {
    const received = this.#received;
    const { slot } = this.#options;
    if (received !== null && this.#isOfThisRelease(slot)) {
      const body = joined(this.#pieces, this.#length);
      this.#put(toStored({ ...received, body }));
    }
    this.#giveUp(false);
  }

  canStandIn(): boolean {
    const { stored } = this.#options;
    return stored !== undefined && mayReplaceError(stored.lifetime, this.#parts.now());
  }

  fail(): ServedStored | null {
    this.#giveUp(false);
    const { stored } = this.#options;
    const now = this.#parts.now();
    if (!stored || !mayReplaceError(stored.lifetime, now)) return null;
    this.#parts.counts.stale++;
    return { stored, status: hitStatus(stored, now, 'STALE-IF-ERROR') };
  }

  drop(): void {
    this.#giveUp(false);
  }

  #put(answer: StoredAnswer): void {
    const { store, forgotten } = this.#parts;
    const { key } = this.#options;
    if (!forgotten.has(this.#since, key, answer.tags)) store.put(key, answer);
  }

  #giveUp(isUseless: boolean): void {
    this.#received = null;
    this.#pieces = [];
    this.#parts.filling.bytes -= this.#length;
    this.#length = 0;
    this.#options.leader?.done(isUseless);
  }

  /** A fail-over or a flip may have come between: then the answer is not that of the key's release. */
  #isOfThisRelease(from: Slot): boolean {
    const { slot, key } = this.#options;
    return from === slot && this.#parts.serving(slot) === releaseOf(key);
  }

  /** The slot says that the stored answer is right still (RFC 9111 §4.3.4). */
  #revalidated(
    answer: StoredAnswer,
    by304: readonly string[],
    controlBy304: readonly string[],
  ): ServedStored {
    const { config, store, counts, now } = this.#parts;
    if (isOfAnother(answer.fields, by304)) {
      // This visitor gets what there is; the next one what the site has now.
      store.forget(this.#options.key);
      this.#giveUp(false);
      return { stored: answer, status: hitStatus(answer, now(), 'REVALIDATED') };
    }
    const fields = updatedFields(answer.fields, by304);
    const control = updatedFields(answer.control, controlBy304);
    const lifetime = lifetimeOf({
      policy: policyOf(together(fields, control)),
      permission: permissionOf(answer),
      fields,
      staleIfErrorMs: config.staleIfErrorMs,
      requestedAt: this.#requestedAt,
      receivedAt: now(),
    });
    const tags = tagsOf(together(fields, control)) ?? answer.tags;
    const fresh = { ...answer, mark: {}, fields, control, tags, lifetime };
    const stored = { ...fresh, size: sizeOf(fresh) };
    this.#put(stored);
    counts.revalidated++;
    this.#giveUp(false);
    return { stored, status: hitStatus(stored, now(), 'REVALIDATED') };
  }
}

function together(fields: readonly string[], control: readonly string[]): readonly string[] {
  return control.length === 0 ? fields : [...fields, ...control];
}

/** One that ends with its connection may be a part, and nobody can tell. */
function canBeWhole({ status, known }: AnswerHead, config: CacheConfig): boolean {
  const length = known['content-length'];
  if (length !== undefined) return Number(length) <= config.maxEntryBytes;
  return known['transfer-encoding'] !== undefined || status === 204;
}

/** Asks whether the stored answer is right still (RFC 9111 §4.3.1). */
function questionFields(headers: readonly string[], stored: StoredAnswer): string[] | null {
  const etag = firstValue(stored.fields, 'etag');
  const modified = firstValue(stored.fields, 'last-modified');
  if (etag === undefined && modified === undefined) return null;
  const fields = withoutFields(headers, CONDITIONS);
  if (etag !== undefined) fields.push('If-None-Match', etag);
  if (modified !== undefined) fields.push('If-Modified-Since', modified);
  return fields;
}

/**
 * Asks for the whole of what will be kept: to the first visitor's condition the slot would say 304, of which nothing can be
 * kept, and so to the next one's.
 */
function wholeFields({ headers }: CacheRequest, { facts, leader }: FillOptions): string[] | null {
  if (leader === null || !(facts.isReleaseFile || facts.isUntilRelease)) return null;
  const isConditional =
    hasField(headers, 'if-none-match') || hasField(headers, 'if-modified-since');
  return isConditional ? withoutFields(headers, CONDITIONS) : null;
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
