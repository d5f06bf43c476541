import { expect, test } from 'vitest';
import {
  aboutRelease,
  appendLine,
  EMPTY_LOG,
  type Log,
  replaceLines,
} from '../../src/dashboard/log.ts';

const texts = ({ lines }: Log) => lines.map(({ text }) => text);

test('lines that come before the name of their release stay when the name comes', () => {
  const early = appendLine(appendLine(EMPTY_LOG, 'one'), 'two');
  const { log } = aboutRelease(early, 'r1', true);
  expect(texts(log)).toEqual(['one', 'two']);
  expect(log.release).toBe('r1');
});

test('a new build begins with an empty log, and the file is asked for', () => {
  const { log: first } = aboutRelease(appendLine(EMPTY_LOG, 'old'), 'r1', false);
  const { log, isBehind } = aboutRelease(first, 'r2', true);
  expect(texts(log)).toEqual([]);
  expect(isBehind).toBe(true);
  expect(aboutRelease(log, 'r2', true).isBehind).toBe(false);
});

test('a file that is behind the lines that came live does not take them away', () => {
  const { log } = aboutRelease(appendLine(appendLine(EMPTY_LOG, 'one'), 'two'), 'r1', true);
  expect(texts(replaceLines(log, 'r1', 'one\n'))).toEqual(['one', 'two']);
  expect(texts(replaceLines(log, 'r1', 'one\n\ntwo\r\nthree\n'))).toEqual(['one', 'two', 'three']);
  expect(texts(replaceLines(log, 'r0', 'another\n'.repeat(9)))).toEqual(['one', 'two']);
});

test('the log keeps its newest 500 lines, each with a key of its own', () => {
  let log = EMPTY_LOG;
  for (let line = 0; line < 600; line++) log = appendLine(log, `${line}`);
  expect(texts(log)).toHaveLength(500);
  expect(texts(log)[0]).toBe('100');
  expect(new Set(log.lines.map(({ key }) => key)).size).toBe(500);
});

test('colours are taken out of a line, and errors are marked', () => {
  const { lines } = appendLine(EMPTY_LOG, '\u001b[31mError: no such page\u001b[0m');
  expect(lines[0]).toMatchObject({ text: 'Error: no such page', isError: true });
});
