import { expect, test } from 'vitest';
import { topLines } from '../../../src/cli/status/watch.ts';

test('a picture that is higher than the terminal keeps its top, and leaves a line for the cursor', () => {
  expect(topLines('a\nb\nc\nd', { columns: 20, rows: 3 })).toBe('a\nb');
});

test('a picture counts a line that the terminal breaks as the lines that it takes', () => {
  expect(topLines('abcdefgh\nx\ny', { columns: 5, rows: 4 })).toBe('abcde\nfgh\nx');
});
