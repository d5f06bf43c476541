import { isIP, type Socket } from 'node:net';
import { trustedAddresses } from '../../config/trusted-proxies.ts';
import type { Peer } from './fields.ts';

/** On the socket itself: a WeakMap that each new connection goes into costs the collector more (see live-set.ts). */
const PEER = Symbol('peer');

type Known = Socket & { [PEER]?: Peer };

/** @param trusted IPs, CIDRs or `loopback`; throws SlotsError `CONFIG_INVALID` for anything else */
export function createPeerLookup(trusted: readonly string[]): (socket: Socket) => Peer {
  const list = trustedAddresses(trusted);
  return (socket: Known) => {
    const found = socket[PEER];
    if (found) return found;
    const address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    const peer: Peer = {
      address,
      encrypted: 'encrypted' in socket && socket.encrypted === true,
      trusted: address !== '' && list.check(address, family),
    };
    socket[PEER] = peer;
    return peer;
  };
}
