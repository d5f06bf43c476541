import { expect, test } from 'vitest';
import { createAllowance, createPlaces } from '../../../src/controller/deploy/limits.ts';

test("a caller's oldest call gives its place to the next one, and no other caller's does", () => {
  const places = createPlaces(2, 10);
  const gone: string[] = [];
  const take = (caller: string, name: string) => places.take(caller, () => gone.push(name));
  take('b', 'b1');
  const giveBack = take('a', 'a1');
  take('a', 'a2');
  take('a', 'a3');
  expect(gone).toEqual(['a1']);
  giveBack();
  take('a', 'a4');
  expect(gone).toEqual(['a1', 'a2']);
});

test('the oldest call of all gives its place away when all places are taken', () => {
  const places = createPlaces(2, 3);
  const gone: string[] = [];
  const back = ['a', 'b', 'c'].map((name) => places.take(name, () => gone.push(name)));
  back[0]?.();
  places.take('d', () => gone.push('d'));
  expect(gone).toEqual([]);
  places.take('e', () => gone.push('e'));
  expect(gone).toEqual(['b']);
});

test('an allowance is for one caller, and comes back with time', () => {
  let time = 0;
  const allow = createAllowance(2, () => time);
  expect([allow('a'), allow('a'), allow('a'), allow('b')]).toEqual([true, true, false, true]);
  time = 30_000;
  expect([allow('a'), allow('a')]).toEqual([true, false]);
});

test('an allowance that is used up stays so while other callers come, up to a thousand', () => {
  const allow = createAllowance(1, () => 0);
  allow('a');
  for (let count = 0; count < 900; count++) allow(`other ${count}`);
  expect(allow('a')).toBe(false);
});
