import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { SlotsError } from '../../../src/errors.ts';
import { createPeerLookup } from '../../../src/proxy/request/peer.ts';

function socketAt(remoteAddress: string | undefined, encrypted?: boolean): Socket {
  return { remoteAddress, ...(encrypted === undefined ? {} : { encrypted }) } as never;
}

test.for([
  [['loopback'], '127.0.0.1', true],
  [['loopback'], '127.255.255.254', true],
  [['loopback'], '::1', true],
  [['loopback'], '::ffff:127.0.0.1', true],
  [['loopback'], '128.0.0.1', false],
  [['loopback'], '::2', false],
  [['10.0.0.1'], '10.0.0.1', true],
  [['10.0.0.1'], '::ffff:10.0.0.1', true],
  [['10.0.0.1'], '10.0.0.2', false],
  [['10.0.0.0/8'], '10.255.0.1', true],
  [['10.0.0.0/8'], '11.0.0.1', false],
  [['10.1.2.3/8'], '10.9.9.9', true],
  [['0.0.0.0/0'], '8.8.8.8', true],
  [['0.0.0.0/0'], '::1', false],
  [['2001:db8::/32'], '2001:db8:ffff::1', true],
  [['2001:db8::/32'], '2001:db9::1', false],
  [['2001:db8::1'], '2001:db8:0:0:0:0:0:1', true],
  [['10.0.0.1', '192.168.0.0/16', 'loopback'], '192.168.3.4', true],
  [[], '127.0.0.1', false],
  [['0.0.0.0/0', '::/0'], undefined, false],
] as const)('trusted is with %j, %s: %s', ([entries, address, trusted]) => {
  expect(createPeerLookup(entries)(socketAt(address)).trusted).toBe(trusted);
});

test('a mapped IPv4 address is told as IPv4', () => {
  expect(createPeerLookup([])(socketAt('::ffff:10.0.0.1')).address).toBe('10.0.0.1');
});

test('a TLS connection is known as one', () => {
  const peerOf = createPeerLookup([]);
  expect(peerOf(socketAt('10.0.0.1', true)).encrypted).toBe(true);
  expect(peerOf(socketAt('10.0.0.1')).encrypted).toBe(false);
});

test('a connection is looked at once', () => {
  const peerOf = createPeerLookup(['loopback']);
  const socket = socketAt('127.0.0.1');
  expect(peerOf(socket)).toBe(peerOf(socket));
});

test.for([
  'localhost',
  'Loopback',
  '',
  '10.0.0',
  '10.0.0.256',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/',
  '10.0.0.0/8.5',
  '10.0.0.0/8/8',
  '10.0.0.0/0x8',
  '10.0.0.0/x',
  '::1/129',
  '[::1]',
  '10.0.0.1:80',
  ' 10.0.0.1',
])('anything else is CONFIG_INVALID, and named: %j', (entry) => {
  let thrown: unknown;
  try {
    createPeerLookup(['loopback', entry]);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(SlotsError);
  expect(thrown).toMatchObject({ code: 'CONFIG_INVALID' });
  expect((thrown as Error).message).toContain(`"${entry}"`);
});
