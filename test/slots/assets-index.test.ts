import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatIndex, parseIndex } from '../../src/slots/assets-index.ts';

const RELEASE = 'r20260131T120000-1a2b3c';
const DIGEST = 'a'.repeat(64);

test('an index is read as it was written, whatever its files are called', () => {
  const file = fc.record({
    digest: fc.constant(DIGEST),
    release: fc.constant(RELEASE),
    liveAt: fc.nat(),
  });
  const files = fc
    .dictionary(fc.string({ unit: 'binary' }), file)
    .map((found) => new Map(Object.entries(found).map(([name, each]) => [`/${name}`, each])));
  fc.assert(
    fc.property(
      files,
      fc.nat(),
      fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
      (entries, size, mtimeMs) => {
        const contents = new Map([[DIGEST, { size, mtimeMs }]]);
        const index = { releases: new Set([RELEASE]), files: entries, contents };
        expect(parseIndex(formatIndex(index))).toEqual(index);
      },
    ),
  );
});

test.each([
  ['a digest that is a path', { '/a': ['../../secrets.json', RELEASE, 0] }, {}],
  ['a size below zero', {}, { [DIGEST]: [-1, 0] }],
  ['a release that is none', { '/a': [DIGEST, 'x\r\ny', 0] }, {}],
  ['a path that is none', { a: [DIGEST, RELEASE, 0] }, {}],
])('an index with %s is refused', (_what, files, contents) => {
  const index = { kind: 'slots-assets', version: 1, releases: [], files, contents };
  expect(() => parseIndex(JSON.stringify(index))).toThrow();
});
