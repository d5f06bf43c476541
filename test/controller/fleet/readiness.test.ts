import { expect, test } from 'vitest';
import { type Facts, whyNotReady } from '../../../src/controller/fleet/readiness.ts';
import { desired } from './records.ts';

function facts(changes: Partial<Facts> = {}): Facts {
  return {
    fleet: { epoch: 3, release: 'r3' },
    live: 'r3',
    isFailedOver: false,
    refused: null,
    desired: desired(),
    serverNow: 10_000,
    silentMs: 0,
    leaseMs: 3000,
    onPartition: 'serve',
    ...changes,
  };
}

test('a machine that serves what all serve is ready', () => {
  expect(whyNotReady(facts())).toBeNull();
});

test.each<[string, Partial<Facts>, string]>([
  ['nothing is live', { live: null, fleet: undefined }, 'no release is live'],
  ['the fleet has never agreed', { fleet: undefined }, 'has not agreed'],
  ['another machine has its id', { refused: 'another machine has it' }, 'another machine has it'],
  [
    'it is behind',
    { desired: desired({ epoch: 4, release: 'r4' }) },
    'it serves r3 still, the fleet r4',
  ],
  ['its active slot died', { isFailedOver: true }, 'the standby serves'],
  ['it serves something else', { live: 'r1' }, 'it serves r1'],
  ['it was rolled back by itself', { fleet: { epoch: 3, release: 'r3', apart: true } }, '--local'],
])('a machine is not ready when %s', (_when, changes, why) => {
  expect(whyNotReady(facts(changes))).toContain(why);
});

test('nobody is sent away in the moment before the flip', () => {
  const next = desired({ epoch: 4, release: 'r4', flipAt: 9900 });
  expect(whyNotReady(facts({ desired: next }))).toBeNull();
});

test('without NATS a machine is ready still, and with `fence` until the lease is over', () => {
  expect(whyNotReady(facts({ silentMs: 60_000 }))).toBeNull();
  const fenced = (silentMs: number) => whyNotReady(facts({ silentMs, onPartition: 'fence' }));
  expect(fenced(3000)).toBeNull();
  expect(fenced(3001)).toContain('cut off from NATS');
});
