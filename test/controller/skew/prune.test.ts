import fc from 'fast-check';
import { expect, test } from 'vitest';
import { budget, bytesOf, prune } from '../../../src/controller/skew/prune.ts';
import type { AssetsIndex } from '../../../src/slots/assets-index.ts';

const DAY = 24 * 60 * 60 * 1000;
const NOW = 1000 * DAY;
const NOBODY = { paths: new Set<string>(), releases: new Set<string>() };
const ROOMY = { days: 30, maxBytes: 1e9 };

type Row = [path: string, digest: string, size: number, daysAgo: number, release?: string];

/** An archive with these files; a digest is written as a letter. */
function archive(...rows: Row[]): AssetsIndex {
  return {
    releases: new Set(),
    files: new Map(
      rows.map(([path, digest, , daysAgo, release = 'r1']) => {
        return [path, { digest, release, liveAt: NOW - daysAgo * DAY }];
      }),
    ),
    contents: new Map(rows.map(([, digest, size]) => [digest, { size, mtimeMs: 0 }])),
  };
}

const names = ({ files }: AssetsIndex) => [...files.keys()].sort();

test('a file goes when it was last live longer ago than it is to be kept', () => {
  const index = archive(['/a', 'a', 1, 29], ['/b', 'b', 1, 31]);
  const left = prune(index, NOBODY, ROOMY, NOW);
  expect(names(left)).toEqual(['/a']);
  expect([...left.contents.keys()]).toEqual(['a']);
});

test('over the limit of bytes the files that were live longest ago go first', () => {
  const index = archive(['/old', 'a', 40, 9], ['/older', 'b', 40, 10], ['/new', 'c', 40, 1]);
  expect(names(prune(index, NOBODY, { days: 30, maxBytes: 100 }, NOW))).toEqual(['/new', '/old']);
});

test('a content counts once, however many names it has', () => {
  const index = archive(['/a', 'a', 60, 1], ['/b', 'a', 60, 2], ['/c', 'b', 60, 3]);
  const left = prune(index, NOBODY, { days: 30, maxBytes: 120 }, NOW);
  expect(names(left)).toEqual(['/a', '/b', '/c']);
  expect(bytesOf(left)).toBe(120);
});

test('a file that is larger than the whole limit costs no other its place', () => {
  const index = archive(['/film', 'a', 500, 1], ['/a', 'b', 10, 2]);
  expect(names(prune(index, NOBODY, { days: 30, maxBytes: 100 }, NOW))).toEqual(['/a']);
});

test('a file that a live release has stays whatever the limits are, and is live from now on', () => {
  const index = archive(['/a', 'a', 60, 400], ['/b', 'b', 60, 400, 'r2'], ['/c', 'c', 60, 1]);
  const live = { paths: new Set(['/a']), releases: new Set(['r2']) };
  const left = prune(index, live, { days: 0, maxBytes: 0 }, NOW);
  expect(names(left)).toEqual(['/a', '/b']);
  expect([...left.files.values()].map(({ liveAt }) => liveAt)).toEqual([NOW, NOW]);
});

test('a clock that was set back removes nothing', () => {
  expect(names(prune(archive(['/a', 'a', 1, -400]), NOBODY, ROOMY, NOW))).toEqual(['/a']);
});

test('what is left is within the limits but for live files, whole, and never older than what went', () => {
  const row = fc.record({
    digest: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    daysAgo: fc.nat(60),
    live: fc.boolean(),
  });
  const sizes = { a: 1, b: 10, c: 25, d: 50, e: 100 };
  fc.assert(
    fc.property(fc.array(row, { maxLength: 20 }), fc.nat(200), (rows, maxBytes) => {
      const index = archive(
        ...rows.map(
          ({ digest, daysAgo }, i): Row => [`/${i}`, digest, sizes[digest as 'a'], daysAgo],
        ),
      );
      const live = new Set(rows.flatMap(({ live }, i) => (live ? [`/${i}`] : [])));
      const left = prune(index, { ...NOBODY, paths: live }, { days: 30, maxBytes }, NOW);
      for (const path of live) expect(left.files.has(path)).toBe(true);
      for (const { digest } of left.files.values()) expect(left.contents.has(digest)).toBe(true);
      const used = new Set([...left.files.values()].map(({ digest }) => digest));
      expect([...left.contents.keys()].sort()).toEqual([...used].sort());
      const dead = [...left.files].filter(([path]) => !live.has(path));
      for (const [, { liveAt }] of dead) expect(NOW - liveAt).toBeLessThanOrEqual(30 * DAY);
      if (dead.length > 0) expect(bytesOf(left)).toBeLessThanOrEqual(maxBytes);
    }),
  );
});

test('a disk that is short of room for the next release takes it from the archive', () => {
  expect(budget(1000, { has: 500, free: 10_000, needed: 100 })).toBe(1000);
  expect(budget(1000, { has: 500, free: 40, needed: 100 })).toBe(440);
  expect(budget(1000, { has: 500, free: 0, needed: 900 })).toBe(0);
});
