import { BlockList, isIP, type Socket } from 'node:net';
import { SlotsError } from '../../errors.ts';
import type { Peer } from './fields.ts';

/** On the socket itself: a WeakMap that each new connection goes into costs the collector more (see live-set.ts). */
const PEER = Symbol('peer');

type Known = Socket & { [PEER]?: Peer };

/** @param trusted IPs, CIDRs or `loopback`; throws SlotsError `CONFIG_INVALID` for anything else */
export function createPeerLookup(trusted: readonly string[]): (socket: Socket) => Peer {
  const list = toBlockList(trusted);
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

/** An address, and a prefix's length that is a number: an empty one would be 0, and trust everybody. */
const BLOCK = /^([^/]+)(?:\/(\d{1,3}))?$/;

function toBlockList(trusted: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of trusted) {
    if (entry === 'loopback') {
      list.addSubnet('127.0.0.0', 8, 'ipv4');
      list.addAddress('::1', 'ipv6');
      continue;
    }
    const [, address = '', bits] = BLOCK.exec(entry) ?? [];
    const version = isIP(address);
    const family = version === 6 ? 'ipv6' : 'ipv4';
    const longest = version === 6 ? 128 : 32;
    const prefix = bits === undefined ? longest : Number(bits);
    if (version === 0 || prefix > longest) {
      throw new SlotsError(
        'CONFIG_INVALID',
        `proxy.trustedProxies: "${entry}" (an IP address, a CIDR block or "loopback" was expected)`,
      );
    }
    list.addSubnet(address, prefix, family);
  }
  return list;
}
