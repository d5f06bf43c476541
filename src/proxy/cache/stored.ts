/** One stored answer, and what it takes of memory. Pure. */

import { encodedBodies } from '../compress/encoded-bodies.ts';
import { seconds } from './directives.ts';
import { firstValue, hasField, withoutFields } from './fields.ts';
import { initialAgeMs, lifetimeMs, type Policy } from './freshness.ts';
import type { Permission } from './may-store.ts';
import type { Lifetime } from './reuse.ts';
import { type VaryingBy, varyingBy, varyNames } from './vary.ts';

export interface StoredAnswer {
  /** Tells this answer from a later one of the same URL, for those who would not keep all of it in memory. */
  mark: object;
  status: number;
  reason: string;
  /** As the visitor gets them, without `Age` and the field that says how this was answered. */
  fields: readonly string[];
  /** Its fields that are for the cache alone; a later 304 leaves them as they are unless it has them too. */
  control: readonly string[];
  /** Names that a purge may find it by. */
  tags: readonly string[];
  body: Buffer;
  lifetime: Lifetime;
  by: VaryingBy;
  /** Only for visitors without cookies of their own: it does not say itself that others may have it. */
  isAnonymous: boolean;
  /** Bytes of memory, all counted, the copy that goes over the wire as well. */
  size: number;
}

/** What a stored answer must not say again: it is about another exchange, or made anew for each. */
const NOT_STORED = new Set([
  'age',
  'cache-status',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
]);

/** What is named in `no-cache="…"` goes only to who it was made for (RFC 9111 §5.2.2.4). */
function namedFields(value: string | null | undefined): Set<string> {
  return new Set((value ?? '').split(',').map((name) => name.trim().toLowerCase()));
}

/** A string of one byte a character, its header and the slots of its array; a Buffer's object. Measured: bench/README.md. */
const BYTES_PER_STRING = 24;
const BYTES_PER_ENTRY = 1600;
const BYTES_PER_HEAD = 200;

/** Up to this many bytes of body, head and body are one piece of memory. */
export const LONGEST_JOINED = 16_384;

export interface Received {
  status: number;
  reason: string;
  /** As a visitor gets them. */
  fields: readonly string[];
  control: readonly string[];
  tags: readonly string[];
  body: Buffer;
  requestFields: readonly string[];
  requestedAt: number;
  receivedAt: number;
  policy: Policy;
  permission: Permission;
  isAnonymous: boolean;
  /** `cache.staleIfErrorMs`. */
  staleIfErrorMs: number;
}

export function toStored(received: Received): StoredAnswer {
  const { status, reason, control, tags, body, policy, requestFields } = received;
  const noCache = policy.directives.get('no-cache');
  const dropped = new Set([...NOT_STORED, ...(noCache ? namedFields(noCache) : [])]);
  const fields = withoutFields(received.fields, dropped);
  if (!hasField(fields, 'date')) fields.push('Date', new Date(received.receivedAt).toUTCString());
  const stored = {
    mark: {},
    status,
    reason,
    fields,
    control,
    tags,
    body,
    lifetime: lifetimeOf(received),
    by: varyingBy(varyNames(received.fields), requestFields),
    isAnonymous: received.isAnonymous,
  };
  return { ...stored, size: sizeOf(stored) };
}

export function lifetimeOf(
  received: Pick<
    Received,
    'policy' | 'permission' | 'fields' | 'requestedAt' | 'receivedAt' | 'staleIfErrorMs'
  >,
): Lifetime {
  const { policy, permission, fields, requestedAt, receivedAt, staleIfErrorMs } = received;
  const { directives } = policy;
  const isUntilFlip = permission !== 'explicit';
  const noCache = directives.get('no-cache');
  const inMs = (name: string) => (seconds(directives, name) ?? 0) * 1000;
  return {
    receivedAt,
    initialAgeMs: initialAgeMs(fields, requestedAt, receivedAt),
    freshMs: isUntilFlip ? Number.POSITIVE_INFINITY : (lifetimeMs(fields, policy, receivedAt) ?? 0),
    staleWhileRevalidateMs: inMs('stale-while-revalidate'),
    staleIfErrorMs: directives.has('stale-if-error') ? inMs('stale-if-error') : staleIfErrorMs,
    // With names it is about these fields only.
    noCache: !isUntilFlip && noCache !== undefined && !noCache,
    // RFC 9111 §5.2.2.10: s-maxage implies proxy-revalidate.
    mustRevalidate: ['must-revalidate', 'proxy-revalidate', 's-maxage'].some((name) =>
      directives.has(name),
    ),
  };
}

export function etagOf({ fields }: StoredAnswer): string | undefined {
  return firstValue(fields, 'etag');
}

/** What an answer takes of memory, in bytes. */
export function sizeOf({
  fields,
  control,
  tags,
  body,
  by,
}: Pick<StoredAnswer, 'fields' | 'control' | 'tags' | 'body' | 'by'>): number {
  // A small answer is kept once more, head and body in one piece (answer-bytes.ts).
  let size = BYTES_PER_ENTRY + body.length * (body.length <= LONGEST_JOINED ? 2 : 1);
  for (const { length } of encodedBodies(body)) {
    size += BYTES_PER_ENTRY + length * (length <= LONGEST_JOINED ? 2 : 1);
  }
  for (const texts of [fields, control, tags, by.flat()]) {
    for (const text of texts) size += BYTES_PER_STRING + text.length;
  }
  // The head of a 304, made once somebody asks by a condition.
  size += BYTES_PER_HEAD;
  for (const text of fields) size += text.length;
  return size;
}
