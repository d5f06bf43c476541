import type { IncomingHttpHeaders } from 'node:http';

/** The four forms of a request's target (RFC 9112 §3.2), reduced to what goes on the wire to the slot. */
export interface Target {
  /** Origin form, byte for byte as it came, or `*`. */
  path: string;
  /** The authority of an absolute form, which replaces the `Host` field (§3.2.2); `null` otherwise. */
  host: string | null;
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;

/** A registered name, an IPv4 or a bracketed IPv6 address, with a port or not; no user information. */
const AUTHORITY = /^(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/;

/** @returns `null` for a target that no slot can mean */
export function parseTarget(method: string, url: string): Target | null {
  if (url.startsWith('/')) return { path: url, host: null };
  if (url === '*') return method === 'OPTIONS' ? { path: url, host: null } : null;
  const [, host = '', rest = ''] = ABSOLUTE.exec(url) ?? [];
  if (!isAuthority(host)) return null;
  return { path: rest.startsWith('/') ? rest : `/${rest}`, host };
}

/**
 * The host that a request is for, with its port: its target's goes before its fields' (RFC 9112 §3.2.2). Whoever routes by it
 * must read it as the slot is told it. Empty where there is none.
 */
export function authorityOf(target: Target | null, headers: IncomingHttpHeaders): string {
  return String(target?.host ?? headers[':authority'] ?? headers.host ?? '');
}

/** Whether this can be the value of a `Host` field; an empty one can too, but is no authority. */
export function isAuthority(host: string): boolean {
  const authority = AUTHORITY.exec(host);
  return authority !== null && Number(authority[1] ?? 0) <= 65_535;
}
