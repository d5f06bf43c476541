import { expect, test } from 'vitest';
import { memberVerdict, nextMove, type Own } from '../../../src/controller/fleet/follow.ts';
import { candidate, desired } from './records.ts';

function own(changes: Partial<Own> = {}): Own {
  return {
    id: 'web2',
    fleet: { epoch: 3, release: 'r3' },
    live: 'r3',
    busyWith: null,
    goesApart: false,
    refused: new Set(),
    ...changes,
  };
}

test('a machine that serves what all serve does nothing', () => {
  expect(nextMove(own(), desired(), null)).toEqual({ do: 'nothing' });
});

test('a machine that is on its way back by itself does not go after the others', () => {
  const behind = { live: 'r2', goesApart: true };
  expect(nextMove(own(behind), desired(), candidate())).toEqual({ do: 'nothing' });
});

test('the candidate of another machine is prepared', () => {
  expect(nextMove(own(), desired(), candidate())).toEqual({
    do: 'promote',
    release: 'r4',
    epoch: 4,
    role: 'member',
    rollback: false,
    candidate: 'p4',
  });
});

test.each([
  ['it is its own', { id: 'web1' }, {}],
  ['it was prepared in vain before', { refused: new Set(['p4']) }, {}],
  ['it is being prepared', { busyWith: 'r4' }, {}],
  ['it was withdrawn', {}, { withdrawn: 'web3 could not' }],
  ['it is not newer than what all serve', {}, { epoch: 3 }],
])('a candidate is left alone when %s', (_why, machine, changes) => {
  expect(nextMove(own(machine), desired(), candidate(changes))).toEqual({ do: 'nothing' });
});

test('a machine that was away catches up with what all serve, before any candidate', () => {
  const away = own({ fleet: { epoch: 1, release: 'r1' }, live: 'r1' });
  expect(nextMove(away, desired(), candidate())).toMatchObject({
    do: 'promote',
    release: 'r3',
    epoch: 3,
    role: 'late',
  });
});

test('a new machine, which has never served anything, catches up', () => {
  const fresh = own({ fleet: undefined, live: null });
  expect(nextMove(fresh, desired(), null)).toMatchObject({ release: 'r3', role: 'late' });
});

test('a machine that serves the release already only counts on', () => {
  const late = own({ fleet: { epoch: 2, release: 'r2' }, live: 'r3' });
  expect(nextMove(late, desired(), null)).toEqual({
    do: 'adopt',
    epoch: 3,
    release: 'r3',
    rollback: false,
  });
});

test('of two releases with one epoch the one that the store has is right', () => {
  const split = own({ fleet: { epoch: 3, release: 'r9' }, live: 'r9' });
  expect(nextMove(split, desired(), null)).toMatchObject({ release: 'r3', role: 'late' });
});

test.each([
  ['a store that was wiped', null],
  ['a store that has lost the last flip', desired({ epoch: 2, release: 'r2' })],
])('%s gets back what this machine knows', (_what, found) => {
  const move = nextMove(own(), found, null);
  expect(move).toEqual({ do: 'put back', fleet: { epoch: 3, release: 'r3' } });
});

test('a machine that was rolled back by itself follows nobody', () => {
  const apart = own({ fleet: { epoch: 3, release: 'r3', apart: true }, live: 'r2' });
  expect(nextMove(apart, desired({ epoch: 5, release: 'r5' }), candidate({ epoch: 6 }))).toEqual({
    do: 'nothing',
  });
});

const MINE = { release: 'r4', epoch: 4 };

test('a machine that has prepared waits until the fleet says so, and flips when it says', () => {
  expect(memberVerdict(MINE, desired(), candidate())).toEqual({ is: 'waiting' });
  const flipped = desired({ epoch: 4, release: 'r4', flipAt: 5000 });
  expect(memberVerdict(MINE, flipped, candidate())).toEqual({ is: 'flip', at: 5000 });
});

test('a flip that all have agreed on counts, whatever is said of the candidate after it', () => {
  const flipped = desired({ epoch: 4, release: 'r4', flipAt: 5000 });
  const withdrawn = candidate({ withdrawn: 'web1 did not hear the answer' });
  expect(memberVerdict(MINE, flipped, withdrawn)).toEqual({ is: 'flip', at: 5000 });
});

test('a machine that has prepared stays as it is when the candidate is withdrawn', () => {
  const answer = memberVerdict(MINE, desired(), candidate({ withdrawn: 'web3 could not' }));
  expect(answer).toEqual({ is: 'over', why: 'all machines stay as they are: web3 could not' });
});

test('a machine that has prepared stays as it is when the fleet goes another way', () => {
  const other = candidate({ id: 'p5', by: 'web3', release: 'r5' });
  expect(memberVerdict(MINE, desired(), other).is).toBe('over');
  expect(memberVerdict(MINE, desired({ epoch: 4, release: 'r5' }), null).is).toBe('over');
});
