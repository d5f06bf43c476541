import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { trustedAddresses } from '../../../src/config/trusted-proxies.ts';
import { callerOf } from '../../../src/controller/deploy/caller.ts';

const TRUSTED = trustedAddresses(['loopback', '10.0.0.0/8']);

test.each([
  ['its own address, when no proxy is before the port', '192.0.2.7', undefined, '192.0.2.7'],
  ['its own address, whatever it claims itself', '192.0.2.7', '198.51.100.1', '192.0.2.7'],
  ['the address that a trusted proxy names', '127.0.0.1', '192.0.2.7', '192.0.2.7'],
  ['the last one that strangers did not write', '127.0.0.1', '1.1.1.1, 192.0.2.7', '192.0.2.7'],
  ['the one before two trusted proxies', '::1', '192.0.2.7, 10.0.0.3', '192.0.2.7'],
  ['an IPv4 address on an IPv6 socket', '::ffff:192.0.2.7', undefined, '192.0.2.7'],
  ['the proxy, when that names nothing', '127.0.0.1', '', '127.0.0.1'],
  ['the proxy, when that names no address', '127.0.0.1', 'unknown, _hidden', '127.0.0.1'],
])('a caller is %s', (_name, remoteAddress, forwarded, caller) => {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  const request = { headers, socket: { remoteAddress } } as unknown as IncomingMessage;
  expect(callerOf(request, TRUSTED)).toBe(caller);
});
