import { expect, test } from 'vitest';
import { clientAddress } from '../../../src/proxy/request/client-address.ts';

const TRUSTED = ['127.0.0.1', '10.0.0.1', '10.0.0.2'];
const isTrusted = (address: string) => TRUSTED.includes(address);
const peer = (address: string) => ({ address, encrypted: false, trusted: isTrusted(address) });

test.for([
  ['a visitor without a proxy', '192.0.2.1', [], '192.0.2.1'],
  ['a visitor who claims to be another one', '192.0.2.1', ['10.0.0.9'], '192.0.2.1'],
  ['a proxy that names nobody is the visitor', '127.0.0.1', [], '127.0.0.1'],
  ['one proxy', '127.0.0.1', ['192.0.2.7'], '192.0.2.7'],
  [
    'what a visitor has written before the proxy',
    '127.0.0.1',
    ['10.9.9.9, 192.0.2.7'],
    '192.0.2.7',
  ],
  ['two proxies, in one field', '10.0.0.1', ['192.0.2.7, 10.0.0.2'], '192.0.2.7'],
  ['two proxies, in two fields', '10.0.0.1', ['192.0.2.7', '10.0.0.2'], '192.0.2.7'],
  ['a proxy that asks for itself', '10.0.0.1', ['10.0.0.2'], '10.0.0.1'],
  ['an address with a port', '127.0.0.1', ['192.0.2.7:4711'], '192.0.2.7'],
  ['an IPv6 address', '127.0.0.1', ['2001:db8::1'], '2001:db8::1'],
  ['an IPv6 address with a port', '127.0.0.1', ['[2001:db8::1]:4711'], '2001:db8::1'],
  ['what is no address', '127.0.0.1', ['192.0.2.7, unknown'], ''],
  ['an empty entry', '127.0.0.1', ['192.0.2.7, '], '192.0.2.7'],
] as const)('the visitor is known by the right address: %s', ([, from, forwarded, wanted]) => {
  const fields = forwarded.flatMap((value) => ['X-Forwarded-For', value]);
  const raw = ['Host', 'example.com', ...fields];
  expect(clientAddress(raw, peer(from), isTrusted)).toBe(wanted);
});
