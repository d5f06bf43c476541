import { openSync } from 'node:fs';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileSource } from '../../../src/proxy/skew/file-source.ts';
import type { SlotCall } from '../../../src/proxy/slot/call.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { until } from '../../support/until.ts';

const LENGTH = 1_000_000;

/** A file that is read into a call which may pause. */
async function startReading(onPiece: (source: FileSource, pieces: number) => void = () => {}) {
  const path = join(await tempFolder(), 'file');
  const content = Buffer.from(Uint8Array.from({ length: LENGTH }, (_, i) => i % 251));
  await writeFile(path, content);
  const pieces: Buffer[] = [];
  const ends: unknown[] = [];
  const call = {
    onData(bytes: Buffer) {
      pieces.push(bytes);
      onPiece(source, pieces.length);
    },
    onEnd: () => ends.push('whole'),
    onFailure: (error: Error) => ends.push(error.message),
  } as unknown as SlotCall;
  const source = new FileSource(openSync(path, 'r'), call);
  return { path, content, source, pieces, ends };
}

test('a file is read to its end, in order, and ends once', async () => {
  const { content, source, pieces, ends } = await startReading();
  source.begin(10, LENGTH - 10);
  await until(() => ends.length > 0, 'the end');
  expect(Buffer.concat(pieces).equals(content.subarray(10, LENGTH - 10))).toBe(true);
  expect(ends).toEqual(['whole']);
});

test('nothing is read while the visitor takes nothing', async () => {
  const { path, source, pieces, ends } = await startReading((source, count) => {
    if (count === 2) source.pause();
  });
  source.begin(0, LENGTH);
  await until(() => pieces.length === 2, 'two pieces');
  // Reads of the whole file that were asked for later have ended: one of the source would have as well.
  for (let i = 0; i < 10; i++) await readFile(path);
  expect(pieces).toHaveLength(2);
  source.readOn();
  await until(() => ends.length > 0, 'the end');
  expect(Buffer.concat(pieces)).toHaveLength(LENGTH);
});

test('a file that is cut short while it is sent never looks whole', async () => {
  const { path, source, pieces, ends } = await startReading((source, count) => {
    if (count === 1) source.pause();
  });
  source.begin(0, LENGTH);
  await until(() => pieces.length === 1, 'the first piece');
  await truncate(path, 100_000);
  source.readOn();
  await until(() => ends.length > 0, 'the end');
  expect(ends).toEqual(['the file ends before its length']);
});

test('a source that is abandoned says nothing more', async () => {
  const { path, source, pieces, ends } = await startReading((source) => source.abandon());
  source.begin(0, LENGTH);
  await until(() => pieces.length === 1, 'the first piece');
  for (let i = 0; i < 10; i++) await readFile(path);
  expect(pieces).toHaveLength(1);
  expect(ends).toEqual([]);
});
