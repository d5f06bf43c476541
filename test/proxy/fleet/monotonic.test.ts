import { describe, expect, test } from 'vitest';
import { choosePeer, epochToTell, waitsForFlip } from '../../../src/proxy/fleet/monotonic.ts';

const seen = (epoch: number, passed = false) => ({ seen: epoch, passed });

describe('whether a request waits', () => {
  test('a request of a visitor who has seen nothing newer does not wait', () => {
    for (const epoch of [0, 6, 7]) {
      expect(waitsForFlip(seen(epoch), { epoch: 7, newest: 7 })).toBe(false);
    }
  });

  test('a request of a visitor who has seen a newer epoch waits, also one that this machine has not heard of', () => {
    expect(waitsForFlip(seen(8), { epoch: 7, newest: 8 })).toBe(true);
    expect(waitsForFlip(seen(8), { epoch: 7, newest: 7 })).toBe(true);
  });

  test('a request that was passed on does not wait again', () => {
    expect(waitsForFlip(seen(8, true), { epoch: 7, newest: 8 })).toBe(false);
  });

  test('a request with an epoch far ahead of the fleet’s does not wait; without the fleet nobody knows what is far', () => {
    expect(waitsForFlip(seen(999_999_999), { epoch: 7, newest: 7 })).toBe(false);
    expect(waitsForFlip(seen(999_999_999), { epoch: 7, newest: null })).toBe(true);
  });
});

describe('who gets a request that has waited in vain', () => {
  const peers = [
    { address: 'a:1', epoch: 7 },
    { address: 'b:1', epoch: 8 },
    { address: 'c:1', epoch: 9 },
  ];

  test('a machine that is not behind gets it, one of them at random', () => {
    expect(choosePeer(8, { newest: 9, peers }, 0)?.address).toBe('b:1');
    expect(choosePeer(8, { newest: 9, peers }, 0.99)?.address).toBe('c:1');
  });

  test('any machine gets it when none has said yet that it is there, but the fleet is', () => {
    expect(choosePeer(10, { newest: 10, peers }, 0)?.address).toBe('a:1');
    expect(choosePeer(10, { newest: null, peers }, 0)?.address).toBe('a:1');
  });

  test('no machine gets it when the whole fleet is behind', () => {
    expect(choosePeer(10, { newest: 9, peers }, 0)).toBeNull();
  });

  test('no machine gets it where there is no other', () => {
    expect(choosePeer(8, { newest: 8, peers: [] }, 0)).toBeNull();
    expect(choosePeer(8, {}, 0)).toBeNull();
  });
});

describe('what a visitor is told', () => {
  test('a visitor who has seen less is told the epoch, and one who knows it is not', () => {
    expect(epochToTell(seen(6), { epoch: 7, newest: 7 })).toBe(7);
    expect(epochToTell(seen(7), { epoch: 7, newest: 7 })).toBeNull();
  });

  test('a visitor who has seen more keeps that, for as long as the fleet may be there', () => {
    expect(epochToTell(seen(8), { epoch: 7, newest: 8 })).toBeNull();
    expect(epochToTell(seen(8), { epoch: 7, newest: null })).toBeNull();
  });

  test('an epoch that nobody has reached is taken back', () => {
    expect(epochToTell(seen(99), { epoch: 7, newest: 8 })).toBe(7);
  });
});
