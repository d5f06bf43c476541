import { expect, test } from 'vitest';
import { copyOut, readBuffer } from '../../../src/proxy/slot/read-buffer.ts';

test('what was copied out stays as it was, however much is read and copied after it', () => {
  // Some fit what copies are cut from, some fill it up, and some are longer than that.
  const lengths = [1, 100, 2048, 16_383, 16_384, 16_385, 65_536];
  const copies: [Buffer, string][] = [];
  for (let round = 0; round < 200; round++) {
    const length = lengths[round % lengths.length] as number;
    const text = `${round};`.repeat(length).slice(0, length);
    readBuffer.fill(0);
    const from = round % (readBuffer.length - length + 1);
    readBuffer.write(text, from);
    copies.push([copyOut(from, from + length, round % 3 === 0), text]);
  }
  for (const [copy, text] of copies) expect(copy.toString()).toBe(text);
});

test('a piece that will wait has memory of its own size', () => {
  expect(copyOut(0, 1, true).buffer.byteLength).toBe(1);
  expect(copyOut(0, 100_000, false).buffer.byteLength).toBe(100_000);
});
