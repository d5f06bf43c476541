import type { IncomingMessage } from 'node:http';
import { type BlockList, isIP } from 'node:net';

/**
 * The address that a call comes from: the peer's, or what a trusted reverse proxy in front of the admin port says
 * of it. Entries of `X-Forwarded-For` are believed from the right, up to the first that no trusted proxy added.
 */
export function callerOf(request: IncomingMessage, trusted: BlockList): string {
  const peer = plainAddress(request.socket.remoteAddress ?? '');
  const said = [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
  const hops = [...said.map((entry) => plainAddress(entry.trim())).filter(isIP), peer];
  return hops.findLast((address) => !isTrusted(address, trusted)) ?? (hops[0] as string);
}

function isTrusted(address: string, trusted: BlockList): boolean {
  const version = isIP(address);
  return version !== 0 && trusted.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/** An IPv4 address that came in on an IPv6 socket is the IPv4 address. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}
