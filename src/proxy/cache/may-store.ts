/** Whether an answer may be stored at all (RFC 9111 §3, for a shared cache; design §9). Pure. */
import { readTags } from '../../slots/cache-tags.ts';
import { CACHE_TAG_HEADER } from '../../slots/headers.ts';
import { fieldValue, hasField } from './fields.ts';
import { lifetimeMs, type Policy, policyOf } from './freshness.ts';

/** Status codes whose meaning we know, for `must-understand` (RFC 9111 §5.2.2.3). */
const UNDERSTOOD = new Set([200, 203, 204, 300, 301, 302, 307, 308, 404, 405, 410, 414, 451, 501]);

/** Never stored: informational ones, parts, 304s, and those that concern one connection or visitor. */
const NEVER = new Set([206, 304, 401, 407, 421]);

/** Why an answer is not stored, for `Cache-Status`'s `detail` and for tests. */
export type Refusal =
  | 'method'
  | 'status'
  | 'no-store'
  | 'private'
  | 'set-cookie'
  | 'authorization'
  | 'cookie'
  | 'vary'
  | 'tags'
  | 'no-lifetime';

/** Why an answer may be stored: it says so itself, it is a file of the release, or the config says so. */
export type Permission = 'explicit' | 'release-file' | 'until-release';

/** What is known of the request that an answer belongs to. */
export interface RequestFacts {
  method: string;
  hasAuthorization: boolean;
  /** The URL is that of a file in the release's client folder, which cannot change before the flip. */
  isReleaseFile: boolean;
  /** The URL is under `cache.untilRelease` and not under `cache.except`. */
  isUntilRelease: boolean;
  /** The request has a cookie that is not in `cache.ignoreCookies`. */
  hasCookie: boolean;
}

export type Verdict =
  | {
      store: true;
      why: Permission;
      /** Only for requests without cookies of their own. */
      isAnonymous: boolean;
      policy: Policy;
      /** Names that a purge may find it by, each once. */
      tags: readonly string[];
    }
  | { store: false; why: Refusal };

/** @param fields with those that are for the cache alone */
export function mayStore(
  request: RequestFacts,
  status: number,
  fields: readonly string[],
  receivedAt: number,
): Verdict {
  const policy = policyOf(fields);
  const refusal = refusalOf(request, status, fields, policy);
  if (refusal !== null) return { store: false, why: refusal };
  const permission = permissionOf(request, status, fields, policy, receivedAt);
  if (typeof permission !== 'string') return { store: false, why: permission.refusal };
  const tags = tagsOf(fields);
  if (tags === null) return { store: false, why: 'tags' };
  const isAnonymous =
    permission === 'until-release' || (permission === 'explicit' && !saysShared(policy));
  return { store: true, why: permission, isAnonymous, policy, tags };
}

function refusalOf(
  request: RequestFacts,
  status: number,
  fields: readonly string[],
  { directives }: Policy,
): Refusal | null {
  if (request.method !== 'GET') return 'method';
  if (status < 200 || status > 599 || NEVER.has(status)) return 'status';
  const mustUnderstand = directives.has('must-understand');
  if (mustUnderstand && !UNDERSTOOD.has(status)) return 'status';
  // RFC 9111 §5.2.2.3: who understands the status ignores the no-store that stands beside must-understand.
  if (directives.has('no-store') && !mustUnderstand) return 'no-store';
  if (directives.has('private')) return 'private';
  if (hasField(fields, 'set-cookie')) return 'set-cookie';
  if (request.hasAuthorization && !sharesAuthorized(directives)) {
    return 'authorization';
  }
  return (fieldValue(fields, 'vary') ?? '').split(',').some((name) => name.trim() === '*')
    ? 'vary'
    : null;
}

/** The tags of an answer; `null` where they cannot be read. */
export function tagsOf(fields: readonly string[]): string[] | null {
  return readTags(fieldValue(fields, CACHE_TAG_HEADER), fieldValue(fields, 'cache-tag'));
}

/** RFC 9111 §3.5. */
function sharesAuthorized(directives: Policy['directives']): boolean {
  return ['public', 's-maxage', 'must-revalidate'].some((name) => directives.has(name));
}

function permissionOf(
  request: RequestFacts,
  status: number,
  fields: readonly string[],
  policy: Policy,
  receivedAt: number,
): Permission | { refusal: Refusal } {
  if (request.isReleaseFile && status === 200) return 'release-file';
  const lifetime = lifetimeMs(fields, policy, receivedAt);
  // RFC 9111 §3 lets a shared cache keep what says no more than `max-age`. Many say it of pages that they make for each
  // visitor, so that it counts only where there is no cookie to know one by.
  if (lifetime !== null && (saysShared(policy) || !request.hasCookie)) return 'explicit';
  if (!request.isUntilRelease || ![200, 301, 308, 404, 410].includes(status)) {
    return { refusal: 'no-lifetime' };
  }
  return request.hasCookie ? { refusal: 'cookie' } : 'until-release';
}

/** A targeted field speaks to us; of `Cache-Control`, `s-maxage` does, and `public` makes its `max-age` ours too. */
function saysShared({ directives, isTargeted }: Policy): boolean {
  return isTargeted || directives.has('s-maxage') || directives.has('public');
}
