/** The cookie that keeps a visitor on one instance (`proxy.affinity: 'cookie'`): pure. */
import { ANY_INSTANCE } from '../slot/instances.ts';

export const AFFINITY_COOKIE = 'slots-instance';

const IN_COOKIES = new RegExp(`(?:^|;\\s*)${AFFINITY_COOKIE}=(\\d{1,3})(?:;|$)`);

/** Such an answer may be given to others by a cache on the way, and the cookie with it. */
const FOR_MANY = /\b(?:public|s-maxage|immutable)\b/i;

/** @param cookies the request's `Cookie` field */
export function wantedInstance(cookies: string | undefined): number {
  const found = cookies === undefined ? null : IN_COOKIES.exec(cookies);
  return found ? Number(found[1]) : ANY_INSTANCE;
}

/**
 * What an answer says of the instance that gave it: a `Set-Cookie` field's value, or `null` where the visitor knows.
 *
 * @param cacheControl the answer's `Cache-Control` field
 */
export function affinityCookie(
  served: number,
  wanted: number,
  encrypted: boolean,
  cacheControl: string | undefined,
): string | null {
  if (served === ANY_INSTANCE || served === wanted) return null;
  if (cacheControl !== undefined && FOR_MANY.test(cacheControl)) return null;
  return `${AFFINITY_COOKIE}=${served}; Path=/; HttpOnly; SameSite=Lax${encrypted ? '; Secure' : ''}`;
}
