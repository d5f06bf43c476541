/** Decides from a request's head whether its sender may call the admin port; pure. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { SlotsError } from '../../errors.ts';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/**
 * A page from elsewhere, open in a browser on this machine, can send requests here: under a name of its own
 * that it lets point here (DNS rebinding), which the Host tells, or straight away, which the Origin tells.
 *
 * @param hosts names without a port, besides the loopback's
 * @throws SlotsError `FORBIDDEN`
 */
export function checkOrigin(headers: IncomingHttpHeaders, hosts: readonly string[]): void {
  const host = headers.host?.toLowerCase() ?? '';
  const name = host.replace(/:\d+$/, '');
  if (![...LOOPBACK, ...hosts].some((known) => known.toLowerCase() === name)) {
    throw new SlotsError('FORBIDDEN', `the admin API is not known as "${host}"`, {
      hint: 'call it as localhost, or list the name in "admin.hosts"',
    });
  }
  const { origin } = headers;
  if (origin !== undefined && (hostOf(origin) ?? '') !== hostOf(`http://${host}`)) {
    throw new SlotsError('FORBIDDEN', `a page of ${origin} may not call the admin API`);
  }
}

/** @throws SlotsError `UNAUTHORIZED` */
export function checkToken(presented: string | null, token: string): void {
  if (presented !== null && isSame(presented, token)) return;
  throw new SlotsError('UNAUTHORIZED', 'the admin API needs its token', {
    hint: 'send "Authorization: Bearer <token>" with what slots/admin-token holds; `slots dash` carries it',
  });
}

/** The token after `Bearer`, or `null`. */
export function bearerOf(headers: IncomingHttpHeaders): string | null {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? null;
}

/** Takes as long for a guess that is almost right as for any other, whatever its length. */
export function isSame(presented: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(presented), digest(secret));
}

/** Host and port, the scheme's default port left out; `null` for what is no URL with a host, as `null` is. */
function hostOf(origin: string): string | null {
  return URL.parse(origin)?.host || null;
}
