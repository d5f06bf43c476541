import { expect, test } from 'vitest';
import { growthComplaint } from '../../../src/controller/build/size.ts';

const MiB = 1024 * 1024;
const size = (release: number, source: number) => ({
  release: release * MiB,
  source: source * MiB,
});

test.each([
  ['as large as before', size(100, 10), size(100, 10), false],
  ['a little larger', size(1, 1), size(9, 1), false],
  ['larger by a framework update', size(100, 10), size(120, 10), false],
  ['larger because of its source', size(100, 10), size(180, 40), false],
  ['smaller', size(100, 10), size(50, 10), false],
  ['half as large again without its source', size(49, 10), size(78, 10), true],
  ['much larger than what its source grew by', size(100, 10), size(300, 12), true],
  ['larger though its source has shrunk', size(100, 30), size(160, 10), true],
])('a release that is %s is told of or not: %#', (_what, before, now, isTold) => {
  expect(growthComplaint(before, now) !== null).toBe(isTold);
});

test('a release that grows says how much, and how little its source did', () => {
  expect(growthComplaint(size(49, 10), size(117, 10))).toBe(
    'the release holds 117 MiB, and the one before it 49 MiB, though the watched files grew by 0.0 MiB only: see what the build puts into its output',
  );
});
