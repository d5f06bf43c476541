import { BlockList, isIP } from 'node:net';
import { SlotsError } from '../errors.ts';

/** An address, and a prefix's length that is a number: an empty one would be 0, and trust everybody. */
const BLOCK = /^([^/]+)(?:\/(\d{1,3}))?$/;

const LOOPBACK = 'loopback';

export const TRUSTABLE = 'an IP address, a CIDR block or "loopback"';

/**
 * The addresses of `proxy.trustedProxies`, whose `X-Forwarded-For` is believed.
 *
 * @param trusted IPs, CIDRs or `loopback`
 * @throws SlotsError `CONFIG_INVALID` for anything else
 */
export function trustedAddresses(trusted: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of trusted) {
    if (entry === LOOPBACK) {
      list.addSubnet('127.0.0.0', 8, 'ipv4');
      list.addAddress('::1', 'ipv6');
      continue;
    }
    const block = parseBlock(entry);
    if (block === null) {
      const what = `proxy.trustedProxies: ${JSON.stringify(entry)} (${TRUSTABLE})`;
      throw new SlotsError('CONFIG_INVALID', what);
    }
    list.addSubnet(block.address, block.prefix, block.family);
  }
  return list;
}

/** Whether `trustedAddresses` takes it. */
export function isTrustable(entry: string): boolean {
  return entry === LOOPBACK || parseBlock(entry) !== null;
}

function parseBlock(entry: string) {
  const [, address = '', bits] = BLOCK.exec(entry) ?? [];
  const version = isIP(address);
  const longest = version === 6 ? 128 : 32;
  const prefix = bits === undefined ? longest : Number(bits);
  if (version === 0 || prefix > longest) return null;
  return { address, prefix, family: version === 6 ? 'ipv6' : 'ipv4' } as const;
}
