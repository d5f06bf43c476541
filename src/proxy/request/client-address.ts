/** The address of the visitor behind the proxies that are trusted (`proxy.trustedProxies`): pure. */
import { isIP } from 'node:net';
import type { Peer } from './fields.ts';

/** An address as a proxy writes it, perhaps with a port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
const WITH_PORT = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d+)?$/;

/**
 * The last address in `X-Forwarded-For` that is none of a trusted proxy; those before it are anybody's word.
 *
 * @param raw fields, name and value in turn
 * @returns empty where a trusted proxy names nobody that could be told
 */
export function clientAddress(
  raw: readonly string[],
  peer: Peer,
  isTrusted: (address: string) => boolean,
): string {
  if (!peer.trusted) return peer.address;
  const hops = forwardedFor(raw);
  if (hops.length === 0) return peer.address;
  for (const hop of hops.reverse()) {
    const [, v6, v4] = WITH_PORT.exec(hop) ?? [];
    const address = v6 ?? v4 ?? hop;
    if (isIP(address) === 0) return '';
    if (!isTrusted(address)) return address;
  }
  return peer.address;
}

function forwardedFor(raw: readonly string[]): string[] {
  const hops: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    if ((raw[i] as string).toLowerCase() !== 'x-forwarded-for') continue;
    hops.push(...(raw[i + 1] as string).split(',').map((hop) => hop.trim()));
  }
  return hops.filter((hop) => hop !== '');
}
