import { expect, test } from 'vitest';
import { createPeerLimiter, networkOf } from '../../../src/proxy/request/peer-limiter.ts';

const peer = (address: string, trusted = false) => ({ address, trusted, encrypted: false });

test('one address has so many requests under way, and another one is not hindered', () => {
  const limiter = createPeerLimiter(2);
  expect([1, 2, 3].map(() => limiter.enter(peer('192.0.2.1')))).toEqual([true, true, false]);
  expect(limiter.enter(peer('192.0.2.2'))).toBe(true);
  limiter.leave(peer('192.0.2.1'));
  expect(limiter.enter(peer('192.0.2.1'))).toBe(true);
  expect(limiter.enter(peer('192.0.2.1'))).toBe(false);
});

test('a trusted proxy is not limited', () => {
  const limiter = createPeerLimiter(1);
  for (let i = 0; i < 10; i++) expect(limiter.enter(peer('127.0.0.1', true))).toBe(true);
  limiter.leave(peer('127.0.0.1', true));
});

test('all addresses of one /64 of IPv6 are one visitor', () => {
  const limiter = createPeerLimiter(1);
  expect(limiter.enter(peer('2001:db8:1:2::1'))).toBe(true);
  expect(limiter.enter(peer('2001:db8:1:2:ffff:ffff:ffff:ffff'))).toBe(false);
  expect(limiter.enter(peer('2001:db8:1:3::1'))).toBe(true);
});

test.each([
  ['2001:db8:1:2::1', '2001:db8:1:2'],
  ['2001:0DB8:0001:0002:0:0:0:1', '2001:db8:1:2'],
  ['::1', '0:0:0:0'],
  ['2001:db8::', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0'],
  ['192.0.2.1', '192.0.2.1'],
  ['', ''],
])('the network of %s is %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
