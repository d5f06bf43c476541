import fc from 'fast-check';
import { expect, test } from 'vitest';
import { agreement, flipTime } from '../../../src/controller/fleet/agreement.ts';
import type { Heard } from '../../../src/controller/fleet/records.ts';
import { candidate, heard } from './records.ts';

const LEASE_MS = 3000;

function ask(machines: Heard[], now = 0) {
  const heardOf = [heard('web1'), ...machines];
  const limits = { prepareMs: 60_000, leaseMs: LEASE_MS };
  const when = { offeredAt: 0, now };
  const own = { candidate: candidate(), epoch: 3, self: 'web1' };
  return agreement({ ...own, ...when, ...limits, heard: heardOf });
}

test('all flip once every machine has prepared', () => {
  const machines = [heard('web3', { prepared: 'p4' }), heard('web2', { prepared: 'p4' })];
  expect(ask(machines)).toEqual({ is: 'agreed', members: ['web1', 'web2', 'web3'] });
});

test('nobody flips while one machine still prepares, and it is named', () => {
  const machines = [heard('web2', { prepared: 'p4' }), heard('web3', { prepared: 'p2' })];
  expect(ask(machines)).toEqual({ is: 'waiting', for: ['web3'] });
});

test('one machine that could not prepare keeps all as they are, with its reason', () => {
  const failed = { id: 'p4', why: 'the candidate crashed' };
  const machines = [heard('web2', { prepared: 'p4' }), heard('web3', { failed })];
  expect(ask(machines)).toEqual({
    is: 'failed',
    why: 'web3 could not prepare it: the candidate crashed',
  });
});

test('a failure of an earlier candidate says nothing of this one', () => {
  const failed = { id: 'p2', why: 'the candidate crashed' };
  expect(ask([heard('web2', { failed, prepared: 'p4' })]).is).toBe('agreed');
});

test('a silent machine holds the others up for the lease and no longer', () => {
  const silent = heard('web2', {}, 0);
  expect(ask([silent], LEASE_MS)).toEqual({ is: 'waiting', for: ['web2'] });
  expect(ask([silent], LEASE_MS + 1)).toEqual({ is: 'agreed', members: ['web1'] });
});

test('a machine that does not serve yet what the others serve is not waited for', () => {
  expect(ask([heard('web2', { epoch: 2 })])).toEqual({ is: 'agreed', members: ['web1'] });
});

test('a machine that was rolled back by itself is not waited for', () => {
  expect(ask([heard('web2', { apart: true })])).toEqual({ is: 'agreed', members: ['web1'] });
});

test('a machine that is there and does not get ready fails the promotion at `prepareMs`', () => {
  const machines = [heard('web2', {}, 60_000)];
  expect(ask(machines, 60_000).is).toBe('waiting');
  expect(ask(machines, 60_001)).toEqual({
    is: 'failed',
    why: 'web2 had not prepared it after 60000 ms',
  });
});

test('whatever was heard, nobody flips past a machine that is there, serves, and has not prepared', () => {
  const machine = fc.record({
    id: fc.constantFrom('web2', 'web3', 'web4'),
    at: fc.nat(10_000),
    epoch: fc.constantFrom(2, 3),
    prepared: fc.constantFrom(null, 'p3', 'p4'),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(machine, { selector: ({ id }) => id }),
      fc.nat(10_000),
      (all, now) => {
        const machines = all.map(({ id, at, ...said }) => heard(id, said, at));
        const answer = ask(machines, now);
        const unprepared = all.filter(
          ({ at, epoch, prepared }) => now - at <= LEASE_MS && epoch === 3 && prepared !== 'p4',
        );
        expect(answer.is === 'agreed').toBe(unprepared.length === 0);
      },
    ),
  );
});

test('the flip waits for the slowest way to a machine, and never for long', () => {
  expect(flipTime(1000, [0.2, 0.4])).toBeCloseTo(1252.4);
  expect(flipTime(1000, [0.2, 40])).toBe(1490);
  expect(flipTime(1000, [60_000])).toBe(3000);
});
