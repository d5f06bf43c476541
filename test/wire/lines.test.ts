import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lines } from '../../src/wire/lines.ts';
import { MAX_LINE_BYTES } from '../../src/wire/messages.ts';

/** What comes out of these chunks. */
function cut(chunks: Iterable<Uint8Array | string>) {
  const out: string[] = [];
  const refused: string[] = [];
  const take = lines(
    (line) => out.push(line),
    (why) => refused.push(why),
  );
  for (const chunk of chunks) take(Buffer.from(chunk as string));
  return { out, refused };
}

test('lines are the same however the stream was cut into chunks', () => {
  const text = fc.array(
    fc.string({ unit: 'grapheme', minLength: 1 }).filter((s) => !s.includes('\n')),
  );
  fc.assert(
    fc.property(text, fc.array(fc.nat({ max: 200 })), (wanted, cuts) => {
      const bytes = Buffer.from(wanted.map((line) => `${line}\n`).join(''));
      const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b)];
      const chunks = at.map((start, index) => bytes.subarray(start, at[index + 1]));
      expect(cut(chunks)).toEqual({ out: wanted, refused: [] });
    }),
  );
});

test('lines that are empty are passed over, and one that is not finished is held back', () => {
  expect(cut(['a\n\n\nb\nunfini', 'sh'])).toEqual({ out: ['a', 'b'], refused: [] });
});

test.each([
  ['at once', ['x'.repeat(MAX_LINE_BYTES + 1)]],
  ['piece by piece', Array(70).fill('x'.repeat(1024))],
  ['with its end', [`${'x'.repeat(MAX_LINE_BYTES + 1)}\nnext\n`]],
  ['with its end in a later piece', ['x'.repeat(MAX_LINE_BYTES), `x\nnext\n`]],
])('lines that are too long are refused when they come %s', (_name, chunks) => {
  expect(cut(chunks)).toEqual({
    out: [],
    refused: [`a line of more than ${MAX_LINE_BYTES} bytes`],
  });
});

test('lines of just the longest length are not refused', () => {
  const longest = 'x'.repeat(MAX_LINE_BYTES);
  expect(cut([`${longest}\n`])).toEqual({ out: [longest], refused: [] });
});
