import { stripVTControlCharacters, styleText } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ago,
  bytes,
  cutLines,
  oneLine,
  table,
  wrapLines,
} from '../../../src/cli/terminal/format.ts';

const now = Date.parse('2026-01-01T12:00:00.000Z');
test.each([
  ['2026-01-01T12:00:00.000Z', 'just now'],
  ['2026-01-01T11:59:58.500Z', 'just now'],
  ['2026-01-01T11:59:20.000Z', '40 s ago'],
  ['2026-01-01T11:59:00.200Z', '1 min ago'],
  ['2026-01-01T11:00:01.000Z', '59 min ago'],
  ['2026-01-01T11:59:00.499Z', '1 min ago'],
  ['2026-01-01T09:57:00.000Z', '2 h 3 min ago'],
  ['2025-12-29T11:00:00.000Z', '3 d ago'],
])('ago: %s is %s', (iso, text) => {
  expect(ago(iso, now)).toBe(text);
});

test('ago takes a time in the future, from a clock that was set back, for just now', () => {
  expect(ago('2026-01-01T13:00:00.000Z', now)).toBe('just now');
});

test.each([
  [0, '0 KiB'],
  [2048, '2 KiB'],
  [1024 * 1024 - 1, '1 MiB'],
  [100 * 1024 * 1024, '100 MiB'],
  [1.5 * 1024 ** 3, '1.5 GiB'],
])('%d bytes are %s', (count, text) => {
  expect(bytes(count)).toBe(text);
});

test('table is nothing for no rows', () => {
  expect(table([])).toBe('');
});

test('table gives colour codes no width', () => {
  const red = styleText('red', 'x', { validateStream: false });
  expect(
    stripVTControlCharacters(
      table([
        [red, 'a'],
        ['long', 'b'],
      ]),
    ),
  ).toBe('x     a\nlong  b');
});

test('table starts each column of every row at one place, and ends no line in spaces', () => {
  const cell = fc.stringMatching(/^[a-z]{1,12}$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { minLength: 1 }), (rows) => {
      const lines = table(rows).split('\n');
      const widest = (column: 0 | 1) => Math.max(...rows.map((row) => row[column].length));
      const second = widest(0) + 2;
      const third = second + widest(1) + 2;
      rows.forEach(([one, two, three], index) => {
        const line = lines[index] ?? '';
        expect(line).toBe(line.trimEnd());
        expect(line.startsWith(one)).toBe(true);
        expect(line.slice(second).startsWith(two)).toBe(true);
        expect(line.slice(third)).toBe(three);
      });
    }),
  );
});

const red = (text: string) => styleText('red', text, { validateStream: false });
const seen = (text: string) => stripVTControlCharacters(text);

test('lines for a terminal are cut to its width, and colours do not count', () => {
  expect(cutLines('abcdef\nabc', 4)).toBe('abc…\nabc');
  expect(cutLines(red('abcd'), 4)).toBe(red('abcd'));
  expect(seen(cutLines(red('abcdef'), 4))).toBe('abc…');
  expect(cutLines(red('abcdef'), 4).endsWith('\x1b[0m')).toBe(true);
});

test('lines for a terminal are never wider than it, cut or wrapped, and wrapping loses nothing', () => {
  const text = fc.array(fc.oneof(fc.stringMatching(/^[a-zé→]{0,9}$/), fc.constant(red('xyz'))));
  fc.assert(
    fc.property(text, fc.integer({ min: 2, max: 12 }), (parts, columns) => {
      const line = parts.join('');
      expect(seen(cutLines(line, columns)).length).toBeLessThanOrEqual(columns);
      const wrapped = wrapLines(line, columns);
      for (const part of wrapped) expect(seen(part).length).toBeLessThanOrEqual(columns);
      expect(wrapped.join('')).toBe(line);
    }),
  );
});

test('lines for a terminal hold a message of several lines in one', () => {
  expect(oneLine('a\n  b\n')).toBe('a b');
});
