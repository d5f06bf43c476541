import { expect, test } from 'vitest';
import { addressOf, knownOfPeers } from '../../../src/controller/fleet/peers.ts';
import type { Heard } from '../../../src/controller/fleet/records.ts';

function heard(id: string, epoch: number, at = 1000, apart = false): Heard {
  return { presence: { id, epoch, apart, address: `${id}:4321` } as Heard['presence'], at };
}

const FACTS = { id: 'one', epoch: 7, desired: 7, isConnected: true, now: 1000, leaseMs: 500 };

test('workers are told of each other machine that is there, and of the highest epoch of all', () => {
  const machines = [heard('two', 8), heard('one', 7), heard('three', 6)];
  expect(knownOfPeers({ ...FACTS, heard: machines })).toEqual({
    newest: 8,
    peers: [
      { address: 'three:4321', epoch: 6 },
      { address: 'two:4321', epoch: 8 },
    ],
  });
  expect(knownOfPeers({ ...FACTS, desired: 9, heard: [] })).toEqual({ newest: 9, peers: [] });
});

test('a silent machine, and one that goes its own way, gets no requests', () => {
  const machines = [heard('two', 7, 499), heard('three', 7, 1000, true)];
  expect(knownOfPeers({ ...FACTS, heard: machines }).peers).toEqual([]);
});

test('a machine that is cut off knows no newest epoch, but where the others were', () => {
  const machines = [heard('two', 7, 0)];
  expect(knownOfPeers({ ...FACTS, isConnected: false, heard: machines })).toEqual({
    newest: null,
    peers: [{ address: 'two:4321', epoch: 7 }],
  });
});

test('the address is the config’s host, or the id where that is every address', () => {
  const ports = { proxy: 4321 };
  expect(addressOf({ host: '10.0.0.5', ports }, 'one')).toBe('10.0.0.5:4321');
  expect(addressOf({ host: '::', ports }, 'one')).toBe('one:4321');
  expect(addressOf({ host: '0.0.0.0', ports }, 'one')).toBe('one:4321');
  expect(addressOf({ host: 'fd00::5', ports }, 'one')).toBe('[fd00::5]:4321');
});
