import { expect, test } from 'vitest';
import { createForgotten } from '../../../src/proxy/cache/forgotten.ts';

test('an answer that was asked for before it was forgotten is not to be stored', () => {
  const forgotten = createForgotten();
  const before = forgotten.count();
  forgotten.add((key) => key === 'a');
  expect(forgotten.has(before, 'a', [])).toBe(true);
  expect(forgotten.has(before, 'b', [])).toBe(false);
  expect(forgotten.has(forgotten.count(), 'a', [])).toBe(false);
});

test('an answer so slow that nobody remembers what was forgotten meanwhile is not to be stored', () => {
  const forgotten = createForgotten();
  const before = forgotten.count();
  for (let i = 0; i < 256; i++) forgotten.add(() => false);
  expect(forgotten.has(before, 'a', [])).toBe(false);
  forgotten.add(() => false);
  expect(forgotten.has(before, 'a', [])).toBe(true);
  expect(forgotten.has(before + 1, 'a', [])).toBe(false);
});
