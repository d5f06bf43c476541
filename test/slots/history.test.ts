import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  appendHistory,
  type HistoryEntry,
  readHistory,
  withNewest,
} from '../../src/slots/history.ts';
import { releaseIdOf, tempSite } from '../support/temp-site.ts';

function entry(number: number, changes: Partial<HistoryEntry> = {}): HistoryEntry {
  return {
    id: `promotion ${number}`,
    release: releaseIdOf(number),
    outcome: 'promoted',
    stage: 'reload',
    error: null,
    trigger: 'edit',
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:00:09.000Z',
    durationsMs: { build: 5000, flip: 3 },
    ...changes,
  };
}

test('history is empty where there is none yet', async () => {
  expect(await readHistory(await tempSite())).toEqual([]);
});

test('history gives back every entry, oldest first', async () => {
  const paths = await tempSite({ 'slots/.gitkeep': '' });
  const odd = entry(2, { outcome: 'failed', error: 'two\nlines and a "quote" · ü' });
  for (const one of [entry(1), odd, entry(3)]) await appendHistory(paths, one);
  expect(await readHistory(paths)).toEqual([entry(1), odd, entry(3)]);
  expect((await readFile(paths.history, 'utf8')).match(/\n/g)).toHaveLength(3);
});

test('history has the promotion that the state knows the end of, once', () => {
  const [older, newest] = [entry(1), entry(2)];
  expect(withNewest([older], newest)).toEqual([older, newest]);
  expect(withNewest([older, newest], newest)).toEqual([older, newest]);
  // What was read before the history went on.
  expect(withNewest([older, newest], older)).toEqual([older, newest]);
  expect(withNewest([], null)).toEqual([]);
});

test('history keeps the other lines when one was cut short by a crash', async () => {
  const paths = await tempSite({ 'slots/.gitkeep': '' });
  for (const one of [1, 2]) await appendHistory(paths, entry(one));
  const { length } = await readFile(paths.history);
  await truncate(paths.history, length - 20);
  expect(await readHistory(paths)).toEqual([entry(1)]);
});

test('history keeps what is appended after a line that was cut short anywhere', async () => {
  const paths = await tempSite({ 'slots/.gitkeep': '' });
  await appendHistory(paths, entry(1));
  const first = (await readFile(paths.history)).length;
  await appendHistory(paths, entry(2, { error: 'ünïcode' }));
  const whole = await readFile(paths.history);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: first, max: whole.length }), async (length) => {
      await writeFile(paths.history, whole.subarray(0, length));
      await appendHistory(paths, entry(3));
      const releases = (await readHistory(paths)).map(({ release }) => release);
      expect(releases[0]).toBe(releaseIdOf(1));
      expect(releases.at(-1)).toBe(releaseIdOf(3));
      expect(releases.length).toBe(length >= whole.length - 1 ? 3 : 2);
    }),
  );
});

test.each(['null', '5', '"text"', '[]', '\0\0\0\0', '{'])(
  'history passes over a line that is no entry: %j',
  async (line) => {
    const paths = await tempSite();
    await mkdir(paths.slots);
    await writeFile(paths.history, `${line}\n${JSON.stringify(entry(1))}\n\n`);
    expect(await readHistory(paths)).toEqual([entry(1)]);
  },
);
