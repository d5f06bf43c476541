import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findInIndex, formatIndex, parseIndex } from '../../src/slots/assets-index.ts';

const RELEASE = 'r20260131T120000-1a2b3c';
const DIGEST = 'a'.repeat(64);

const file = fc.record({
  digest: fc.constant(DIGEST),
  release: fc.constant(RELEASE),
  liveAt: fc.nat(),
});
const indexes = fc
  .record({
    files: fc.dictionary(fc.string({ unit: 'binary' }), file, { minKeys: 1 }),
    size: fc.nat(),
    mtimeMs: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
  })
  .map(({ files, size, mtimeMs }) => ({
    releases: new Set([RELEASE]),
    files: new Map(Object.entries(files).map(([name, each]) => [`/${name}`, each])),
    contents: new Map([[DIGEST, { size, mtimeMs }]]),
  }));

test('an index is read as it was written, whatever its files are called', () => {
  fc.assert(
    fc.property(indexes, (index) => {
      expect(parseIndex(formatIndex(index))).toEqual(index);
    }),
  );
});

test('each file is found in the bytes of an index, and nothing else is', () => {
  fc.assert(
    fc.property(indexes, fc.string({ unit: 'binary' }), (index, other) => {
      const bytes = Buffer.from(formatIndex(index));
      for (const [path, file] of index.files) {
        expect(findInIndex(bytes, path)).toEqual({ ...file, ...index.contents.get(DIGEST) });
      }
      if (!index.files.has(other)) expect(findInIndex(bytes, other)).toBeNull();
    }),
  );
});

test('a path is not found in the middle of another, nor in what else a line says', () => {
  const files = new Map([['/a/b-3f2a9c1b.js', { digest: DIGEST, release: RELEASE, liveAt: 0 }]]);
  const contents = new Map([[DIGEST, { size: 1, mtimeMs: 1 }]]);
  const bytes = Buffer.from(formatIndex({ releases: new Set([RELEASE]), files, contents }));
  for (const path of ['/b-3f2a9c1b.js', '/a/b-3f2a9c1b', '/a', '', DIGEST, RELEASE]) {
    expect(findInIndex(bytes, path)).toBeNull();
  }
});

const head = { kind: 'slots-assets', version: 1, releases: [], files: 1 };

test.each<[string, unknown[]]>([
  ['a digest that is a path', [head, ['/a', '../../secrets.json', 1, 0, RELEASE, 0]]],
  ['a size below zero', [head, ['/a', DIGEST, -1, 0, RELEASE, 0]]],
  ['a release that is none', [head, ['/a', DIGEST, 1, 0, 'x\r\ny', 0]]],
  ['a path that is none', [head, ['a', DIGEST, 1, 0, RELEASE, 0]]],
  ['fewer files than it says', [head]],
  ['another kind', [{ ...head, kind: 'other' }, ['/a', DIGEST, 1, 0, RELEASE, 0]]],
])('an index with %s is refused', (_what, lines) => {
  expect(() => parseIndex(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))).toThrow();
});
