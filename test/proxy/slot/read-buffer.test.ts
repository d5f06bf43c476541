import { expect, test } from 'vitest';
import {
  copyOut,
  giveBack,
  isLent,
  keep,
  readBuffer,
} from '../../../src/proxy/slot/read-buffer.ts';

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
  expect(copyOut(0, 100_000, true).buffer.byteLength).toBe(100_000);
});

test('memory that was given back is used again, once', () => {
  const first = copyOut(0, 50_000, false);
  giveBack(first);
  giveBack(first);
  const [second, third] = [copyOut(0, 40_000, false), copyOut(0, 40_000, false)];
  expect(second.buffer).toBe(first.buffer);
  expect(third.buffer).not.toBe(first.buffer);
});

test('the memory of a piece that somebody keeps is never used again', () => {
  const kept = keep(copyOut(0, 50_000, false));
  expect(isLent(kept)).toBe(false);
  giveBack(kept);
  const later = Array.from({ length: 4 }, () => copyOut(0, 50_000, false));
  expect(later.map(({ buffer }) => buffer)).not.toContain(kept.buffer);
});

test('no more memory is kept for later than four MiB', () => {
  const pieces = Array.from({ length: 100 }, () => copyOut(0, 131_072, false));
  for (const piece of pieces) giveBack(piece);
  expect(pieces.filter(isLent)).toHaveLength(100 - 32);
});
