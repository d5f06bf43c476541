import { isIPv6 } from 'node:net';
import type { Peer } from './fields.ts';

/** Bounds what one address has under way at a time, so that nobody takes all places of a slot. */
export interface PeerLimiter {
  /** @returns whether there was room; `leave` is to be called once then */
  enter(peer: Peer): boolean;
  leave(peer: Peer): void;
}

/** @param limit requests; for `proxy.trustedProxies`, which speak for many visitors, there is none */
export function createPeerLimiter(limit: number): PeerLimiter {
  const underWay = new Map<string, number>();
  return {
    enter(peer) {
      if (peer.trusted) return true;
      const key = networkOf(peer.address);
      const count = underWay.get(key) ?? 0;
      if (count >= limit) return false;
      underWay.set(key, count + 1);
      return true;
    },
    leave(peer) {
      if (peer.trusted) return;
      const key = networkOf(peer.address);
      const count = underWay.get(key) ?? 0;
      if (count > 1) underWay.set(key, count - 1);
      else underWay.delete(key);
    },
  };
}

/** One visitor has at least a /64 of IPv6, and may come from any address of it (RFC 6177 §2). */
export function networkOf(address: string): string {
  return isIPv6(address) ? firstGroups(address).join(':') : address;
}

/** The first four groups of an IPv6 address, without leading zeros. */
function firstGroups(address: string): string[] {
  const [before = '', after] = address.split('%')[0]?.split('::') ?? [];
  const head = before === '' ? [] : before.split(':');
  const tail = after ? after.split(':') : [];
  // An IPv4 address at the end stands for two groups.
  const written = head.length + tail.length + (tail.at(-1)?.includes('.') ? 1 : 0);
  const zeros = after === undefined ? 0 : 8 - written;
  const groups = [...head, ...Array<string>(Math.max(0, zeros)).fill('0'), ...tail];
  return groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, '').toLowerCase());
}
