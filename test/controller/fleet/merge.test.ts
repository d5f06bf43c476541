import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Files, mergeSources } from '../../../src/controller/fleet/merge.ts';

const NOTHING = { take: [], drop: [], keep: [], conflicts: [] };

test('equal files are nobody’s edit', () => {
  const files = { a: '1', b: '2' };
  expect(mergeSources(files, files, files)).toEqual({ ...NOTHING, base: files });
});

test('what only the others have changed, added or deleted is taken over', () => {
  const base = { a: '1', b: '1' };
  const merge = mergeSources(base, { a: '2', c: '1' }, base);
  expect(merge).toEqual({ ...NOTHING, take: ['a', 'c'], drop: ['b'], base: { a: '2', c: '1' } });
});

test('what only this machine has changed, added or deleted is its edit', () => {
  const base = { a: '1', b: '1' };
  const merge = mergeSources(base, base, { a: '2', c: '1' });
  expect(merge).toEqual({ ...NOTHING, keep: ['a', 'b', 'c'], base });
});

test('edits of different files on two machines go together', () => {
  const merge = mergeSources({ a: '1', b: '1' }, { a: '2', b: '1' }, { a: '1', b: '3' });
  expect(merge).toEqual({ ...NOTHING, take: ['a'], keep: ['b'], base: { a: '2', b: '1' } });
});

test.each([
  ['changed in two ways', { a: '2' }, { a: '3' }],
  ['changed here and deleted there', {}, { a: '3' }],
  ['deleted here and changed there', { a: '2' }, {}],
])('a file that was %s is a conflict, and stays one', (_how, theirs: Files, mine: Files) => {
  const merge = mergeSources({ a: '1' }, theirs, mine);
  expect(merge).toEqual({ ...NOTHING, conflicts: ['a'], base: { a: '1' } });
  expect(mergeSources(merge.base, theirs, mine).conflicts).toEqual(['a']);
});

test('a conflict is over when both have the same', () => {
  const { base } = mergeSources({ a: '1' }, { a: '2' }, { a: '3' });
  expect(mergeSources(base, { a: '3' }, { a: '3' })).toEqual({ ...NOTHING, base: { a: '3' } });
});

test('a machine that joins with other files has conflicts, and loses none of its own', () => {
  const merge = mergeSources(null, { a: '1', b: '1', d: '1' }, { a: '2', b: '1', c: '1' });
  expect(merge).toMatchObject({ take: ['d'], drop: [], keep: ['c'], conflicts: ['a'] });
});

test('no edit of this machine is ever overwritten or deleted, and none of another one forgotten', () => {
  const files = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2', '3'), {
    noNullPrototype: true,
  });
  fc.assert(
    fc.property(files, files, files, (base, theirs, mine) => {
      const { take, drop, keep, conflicts, base: next } = mergeSources(base, theirs, mine);
      const mineChanged = ['a', 'b', 'c'].filter((path) => mine[path] !== base[path]);
      for (const path of [...take, ...drop]) expect(mineChanged).not.toContain(path);
      for (const path of mineChanged.filter((path) => mine[path] !== theirs[path])) {
        expect([...keep, ...conflicts]).toContain(path);
      }
      // The next look finds the same edits again.
      const after: Record<string, string> = { ...mine };
      for (const path of take) after[path] = theirs[path] ?? '';
      for (const path of drop) delete after[path];
      const again = mergeSources(next, theirs, after);
      expect(again).toMatchObject({ take: [], drop: [], keep, conflicts });
    }),
  );
});
