import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ERROR_CODES, toErrorCode } from '../src/errors.ts';

const SOURCE = new URL('../src/', import.meta.url);

test('every error code that is listed is one that some code of ours throws', async () => {
  const files = (await readdir(SOURCE, { recursive: true })).filter(
    (name) => name.endsWith('.ts') && name !== 'errors.ts',
  );
  const texts = await Promise.all(files.map((name) => readFile(new URL(name, SOURCE), 'utf8')));
  const thrown = new Set(
    texts.flatMap((text) => [...text.matchAll(/'([A-Z]+[A-Z0-9_]*)'/g)].map(([, code]) => code)),
  );
  expect(Object.keys(ERROR_CODES).filter((code) => !thrown.has(code))).toEqual([]);
});

test('a code of another version is an unexpected one here', () => {
  expect(toErrorCode('NO_STANDBY')).toBe('NO_STANDBY');
  expect(toErrorCode('FROM_THE_FUTURE')).toBe('UNEXPECTED');
  expect(toErrorCode('constructor')).toBe('UNEXPECTED');
});
