import { expect, test } from 'vitest';
import { toForget } from '../../../src/controller/fleet/forgetting.ts';
import type { Purge } from '../../../src/controller/fleet/records.ts';

const SELF = { id: 'web1', serverNow: 10_000_000 };
const EVERYTHING = { paths: [], tags: [] };

function purge(revision: number, changes: Partial<Purge> = {}) {
  const value = { paths: ['/a'], tags: [], by: 'web2', at: 9_999_000, after: 5, ...changes };
  return { revision, value };
}

test('a purge of another machine is done once, as it was ordered', () => {
  expect(toForget(purge(9), 5, SELF)).toEqual({ paths: ['/a'], tags: [] });
  expect(toForget(purge(9), 9, SELF)).toBeNull();
  expect(toForget(purge(9, { after: null }), null, SELF)).toEqual({ paths: ['/a'], tags: [] });
});

test('a purge that follows one that was never seen here forgets everything, even if this machine ordered it', () => {
  expect(toForget(purge(9, { after: 7 }), 5, SELF)).toEqual(EVERYTHING);
  expect(toForget(purge(9, { after: 7, by: 'web1' }), 5, SELF)).toEqual(EVERYTHING);
  expect(toForget(purge(3, { after: null }), 40, SELF)).toEqual(EVERYTHING);
});

test('what this machine has ordered itself it has done already', () => {
  expect(toForget(purge(9, { by: 'web1' }), 5, SELF)).toBeNull();
});

test('a controller that has just started forgets everything where a purge was less than an hour ago', () => {
  expect(toForget(purge(9), undefined, SELF)).toEqual(EVERYTHING);
  expect(toForget(purge(9, { at: 1 }), undefined, SELF)).toBeNull();
  expect(toForget(null, undefined, SELF)).toBeNull();
});
