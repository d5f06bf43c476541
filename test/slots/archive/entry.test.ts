import { posix } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type EntryHead, judgeEntry, wrongLink } from '../../../src/slots/archive/entry.ts';

const SEEN = new Map([
  ['dist', 'folder'],
  ['dist/a', 'folder'],
  ['dist/a/file', 'file'],
  ['dist/link', 'link'],
] as const);

function judge(head: Partial<EntryHead> & { name: string }, shared: string[] = []) {
  return judgeEntry(
    { type: 'file', size: 0, linkname: null, mode: 0o644, ...head },
    { seen: SEEN, shared },
  );
}

test('files, folders and links of a release are taken, and of the mode only whether a file is executable', () => {
  expect(judge({ name: 'dist/b' })).toEqual({ kind: 'file', path: 'dist/b', executable: false });
  expect(judge({ name: 'dist/b', mode: 0o4755 })).toEqual({
    kind: 'file',
    path: 'dist/b',
    executable: true,
  });
  expect(judge({ name: 'dist/b/', type: 'directory' })).toEqual({ kind: 'folder', path: 'dist/b' });
  expect(judge({ name: 'dist/a/b', type: 'symlink', linkname: '../c' })).toEqual({
    kind: 'link',
    path: 'dist/a/b',
    target: '../c',
    shared: null,
  });
  expect(judge({ name: 'release.json' })).toMatchObject({ kind: 'file' });
  expect(judge({ name: 'build.log' })).toMatchObject({ kind: 'file' });
});

test.each([
  ['/etc/passwd', 'is an absolute path'],
  ['../outside', 'leads out of the release'],
  ['dist/../../outside', 'leads out of the release'],
  ['dist//b', 'is no plain path'],
  ['dist/./b', 'is no plain path'],
  ['dist/b/', 'is no plain path'],
  ['', 'is no plain path'],
  ['dist/b\0c', 'is no plain path'],
  ['dist/a/file', 'is in it twice'],
  ['dist/link', 'is in it twice'],
  ['dist/a/file/c', 'lies in no folder of it'],
  ['dist/link/c', 'lies in no folder of it'],
  ['dist/none/c', 'lies in no folder of it'],
  ['node_modules', 'is nothing that a release has'],
  ['crash.txt', 'is nothing that a release has'],
])('an entry with the name %j is refused', (name, why) => {
  expect(judge({ name })).toBe(why);
});

test.each(['link', 'character-device', 'block-device', 'fifo', 'contiguous-file', null])(
  'an entry of the type %s is refused',
  (type) => {
    expect(judge({ name: 'dist/b', type, linkname: 'dist/a/file' })).toMatch(/^is a /);
  },
);

test('a folder or a link with bytes of its own is refused', () => {
  expect(judge({ name: 'dist/b', type: 'directory', size: 1 })).toMatch('bytes of its own');
  expect(judge({ name: 'dist/b', type: 'symlink', linkname: 'c', size: 1 })).toMatch(
    'bytes of its own',
  );
});

test('links within the output are taken, whatever way they go up', () => {
  expect(wrongLink('dist/b', 'a/file', [])).toBeNull();
  expect(wrongLink('dist/b', './a/./file', [])).toBeNull();
  expect(wrongLink('dist/a/b', '../../dist/a', [])).toBeNull();
  expect(wrongLink('dist/a/b', '..', [])).toBeNull();
});

test.each([
  ['', /nothing/],
  ['/etc/passwd', /absolute/],
  ['..', /leads out/],
  ['../release.json', /leads out/],
  ['../../other-release/dist', /leads out/],
  ['../../../secrets.json', /leads out/],
  ['../../../../slots/secrets.json', /leads out/],
  ['../../../..', /leads out/],
  ['../../../../..', /leads out/],
  ['../../../../uploads', /not in "shared"/],
  ['../../../../.env', /not in "shared"/],
  ['../../../../shared/../.env', /down and up/],
  ['a/../../x', /down and up/],
  ['a/..', /down and up/],
])('a link in the output to %j is refused', (target, why) => {
  expect(wrongLink('dist/b', target, ['shared'])).toMatch(why);
});

test('a link to a folder that the config shares is taken from its right depth only', () => {
  expect(wrongLink('dist/uploads', '../../../../public/uploads', ['public/uploads'])).toBeNull();
  expect(wrongLink('dist/a/b', '../../../../../data', ['data'])).toBeNull();
  expect(
    judge({ name: 'dist/a/b', type: 'symlink', linkname: '../../../../../data/' }, ['data']),
  ).toMatchObject({ kind: 'link', shared: 'data' });
  expect(wrongLink('dist/a/b', '../../../../data', ['data'])).toMatch('leads out');
  expect(wrongLink('dist/uploads', '../../../../public', ['public/uploads'])).toMatch('shared');
  expect(wrongLink('dist/b', '../../../../data/private', ['data'])).toMatch('shared');
});

test('a link that is taken leads into the output or to a shared folder', () => {
  const part = fc.constantFrom('..', '..', '..', '.', '', 'dist', 'a', 'slots', 'data', 'releases');
  const path = fc.array(fc.constantFrom('a', 'dist', 'data'), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(path, fc.array(part, { minLength: 1, maxLength: 9 }), (names, parts) => {
      const at = posix.join('dist', ...names);
      const target = parts.join('/');
      fc.pre(wrongLink(at, target, ['data']) === null);
      const leadsTo = posix.resolve('/site/slots/releases/id', posix.dirname(at), target);
      const isFine = /^\/site\/slots\/releases\/id\/dist(\/|$)/.test(leadsTo);
      expect(isFine || leadsTo === '/site/data').toBe(true);
    }),
    { numRuns: 2000 },
  );
});
