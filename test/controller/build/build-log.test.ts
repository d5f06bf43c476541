import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { readOutput } from '../../../src/controller/build/build-log.ts';
import { createRedactor, type Redact } from '../../../src/controller/build/redact.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const MEBIBYTE = 1024 * 1024;

async function read(chunks: Iterable<string | Buffer>, redact: Redact = (text) => text) {
  const file = join(await tempFolder(), 'build.log');
  const lines: string[] = [];
  const error = await readOutput(Readable.from(chunks), file, redact, (line) => lines.push(line));
  return { lines, error, log: await readFile(file, 'utf8').catch(() => null) };
}

test('cuts lines wherever the chunks end, and takes every kind of line end', async () => {
  const { lines, log } = await read(['on', 'e\r', '\ntwo\rthree\n\n', Buffer.from('fo'), 'ur']);
  expect(lines).toEqual(['one', 'two', 'three', 'four']);
  expect(log).toBe('one\r\ntwo\rthree\n\nfour');
});

test('puts a letter of several bytes together that two chunks share', async () => {
  const letter = Buffer.from('ü');
  const { lines, log } = await read([letter.subarray(0, 1), letter.subarray(1)]);
  expect([lines, log]).toEqual([['ü'], 'ü']);
});

test('keeps the beginning and the end of an output without end, and says what is missing', async () => {
  function* flood() {
    yield 'the beginning\n';
    for (let i = 0; i < 100; i++) yield 'x'.repeat(MEBIBYTE);
    yield '\nthe end\n';
  }
  const before = process.memoryUsage().rss;
  const { lines, log } = await read(flood());
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * MEBIBYTE);
  expect(lines).toEqual(['the beginning', 'x'.repeat(2000), 'the end']);
  expect(log?.length).toBeLessThan(18 * MEBIBYTE);
  expect(log).toMatch(
    /^the beginning\nx+\n\[slots: \d+ characters are left out here\]\nx+\nthe end\n$/,
  );
});

test('reads on when the log cannot be written, and says why it could not', async () => {
  const file = join(await tempFolder(), 'no-such-folder/build.log');
  const lines: string[] = [];
  const error = await readOutput(
    Readable.from(Array.from({ length: 50 }, () => `${'x'.repeat(99_999)}\n`)),
    file,
    (text) => text,
    (line) => lines.push(line),
  );
  expect(lines).toHaveLength(50);
  expect(error).toMatchObject({ code: 'ENOENT' });
});

test('hides a secret that two chunks share, in the log and in what is told', async () => {
  const redact = createRedactor({ SECRET: 'open sesame' }, {});
  const { lines, log } = await read(['say "open', ' sesame" now\n', 'open ', 'sesame'], redact);
  expect(lines).toEqual(['say "[SECRET]" now', '[SECRET]']);
  expect(log).toBe('say "[SECRET]" now\n[SECRET]');
});
