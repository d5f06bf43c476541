import fc from 'fast-check';
import { expect, test } from 'vitest';
import { duration } from '../src/duration.ts';

test.each([
  [0, '0 ms'],
  [849.6, '850 ms'],
  [999.4, '999 ms'],
  [999.6, '1.0 s'],
  [4200, '4.2 s'],
  [59_940, '59.9 s'],
  [59_999, '1 min 0 s'],
  [60_000, '1 min 0 s'],
  [200_000, '3 min 20 s'],
  [3_599_400, '59 min 59 s'],
  [3_599_999, '1 h 0 min'],
  [3_600_000, '1 h 0 min'],
  [(5 * 60 + 12) * 60_000, '5 h 12 min'],
  [48 * 3_600_000, '2 d 0 h'],
  [76 * 3_600_000, '3 d 4 h'],
])('duration: %d ms is %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test('duration never has a part that its next larger unit should hold', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (ms) => {
      expect(duration(ms)).not.toMatch(/\b1000 ms|\b60\.0 s|\b60 s|\b60 min/);
    }),
  );
});
