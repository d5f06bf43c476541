import { execFile } from 'node:child_process';
import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readSource, readStamp } from '../../src/slots/source.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { putFile, tempSite } from '../support/temp-site.ts';

const watching = (...watch: string[]) => ({ watch, ignore: [], shared: [] });
const WATCH = watching('src/content', 'public');

const hashOf = async (root: string) => (await readSource(root, WATCH)).hash;

async function hashOfFiles(files: Record<string, string>): Promise<string> {
  return hashOf((await tempSite(files)).root);
}

const FILES = { 'src/content/a.md': 'A', 'src/content/deep/b.md': 'B', 'public/c.png': 'C' };

test('the source hash is the same for the same paths and bytes, wherever they lie and whenever they came', async () => {
  const reversed = Object.fromEntries(Object.entries(FILES).reverse());
  expect(await hashOfFiles(FILES)).toBe(await hashOfFiles(reversed));
});

test('the source hash does not see what is not watched', async () => {
  const other = { ...FILES, 'README.md': 'x', 'src/lib.ts': 'x', 'public2/c.png': 'x' };
  expect(await hashOfFiles(other)).toBe(await hashOfFiles(FILES));
});

test.each<[string, Record<string, string>]>([
  ['other bytes', { ...FILES, 'src/content/a.md': 'Z' }],
  ['a new file', { ...FILES, 'src/content/new.md': '' }],
  ['another name', { 'src/content/aa.md': 'A', 'src/content/deep/b.md': 'B', 'public/c.png': 'C' }],
  ['two files that swapped', { ...FILES, 'src/content/a.md': 'B', 'src/content/deep/b.md': 'A' }],
  ['a file that moved to another folder', { ...FILES, 'public/c.png': '', 'public/d/c.png': 'C' }],
])('the source hash changes with %s', async (_name, files) => {
  expect(await hashOfFiles(files)).not.toBe(await hashOfFiles(FILES));
});

test('the source hash differs for any two different sets of files', async () => {
  const name = fc.stringMatching(/^[a-z .]{1,8}[a-z]$/);
  const set = fc.dictionary(name, fc.string({ maxLength: 4 }), { maxKeys: 4 });
  await fc.assert(
    fc.asyncProperty(set, set, async (one, two) => {
      const hashes = await Promise.all([one, two].map(hashBelowContent));
      const sorted = (files: Record<string, string>) => Object.entries(files).sort();
      const equal = JSON.stringify(sorted(one)) === JSON.stringify(sorted(two));
      expect(hashes[0] === hashes[1]).toBe(equal);
    }),
    { numRuns: 40 },
  );
});

test('the source hash is back at its old value after an undo and after a touch, but the stamp is not', async () => {
  const { root } = await tempSite(FILES);
  const before = await readSource(root, WATCH);
  await putFile(root, 'src/content/a.md', 'other');
  await putFile(root, 'src/content/a.md', 'A');
  const undone = await readSource(root, WATCH);
  expect(undone.hash).toBe(before.hash);
  expect(undone.stamp).not.toBe(before.stamp);
  await utimes(join(root, 'public/c.png'), new Date(0), new Date(0));
  const touched = await readSource(root, WATCH);
  expect(touched.hash).toBe(before.hash);
  expect(touched.stamp).not.toBe(undone.stamp);
});

test('the source hash takes a watched path that does not exist for empty, and sees it come and go', async () => {
  const { root } = await tempSite();
  const empty = await readSource(root, WATCH);
  expect(empty.byPath.size).toBe(0);
  await putFile(root, 'public/c.png', 'C');
  expect(await hashOf(root)).not.toBe(empty.hash);
  await rm(join(root, 'public'), { recursive: true });
  expect(await hashOf(root)).toBe(empty.hash);
});

test('the source hash counts a file once that two watched paths contain', async () => {
  const { root } = await tempSite(FILES);
  const twice = await readSource(root, watching('src/content', 'src', 'src/content/a.md'));
  const once = await readSource(root, watching('src'));
  expect(twice).toEqual(once);
  expect(once.byPath.size).toBe(2);
});

test('the source hash does not wait for a pipe that nobody writes to', async () => {
  const { root } = await tempSite(FILES);
  await promisify(execFile)('mkfifo', [join(root, 'public/pipe')]);
  expect((await readSource(root, WATCH)).byPath.size).toBe(4);
});

test('the source hash is read to the end while files come and go', async () => {
  const { root } = await tempSite(FILES);
  let reading = true;
  const churn = (async () => {
    for (let turn = 0; reading; turn++) {
      await putFile(root, 'src/content/new/x.md', String(turn));
      await rename(join(root, 'src/content/new'), join(root, 'src/content/newer'));
      await rm(join(root, 'src/content/newer'), { recursive: true });
    }
  })();
  for (let look = 0; look < 50; look++) await readSource(root, WATCH);
  reading = false;
  await churn;
  expect(await hashOf(root)).toBe(await hashOfFiles(FILES));
});

async function hashBelowContent(files: Record<string, string>): Promise<string> {
  const root = join(await tempFolder(), 'site');
  await mkdir(join(root, 'public'), { recursive: true });
  for (const [name, text] of Object.entries(files))
    await writeFile(join(root, 'public', name), text);
  return hashOf(root);
}

test('symlinks to a folder elsewhere are followed: its edits are edits of the site', async () => {
  const vault = await tempFolder();
  await putFile(vault, 'note.md', 'one');
  const { root } = await tempSite({ 'src/.keep': '' });
  await symlink(vault, join(root, 'src/content'));
  const before = await readSource(root, WATCH);
  await putFile(vault, 'note.md', 'two');
  const after = await readSource(root, WATCH);
  expect(after.hash).not.toBe(before.hash);
  expect(after.stamp).not.toBe(before.stamp);
});

test('symlinks to a file elsewhere are followed', async () => {
  const elsewhere = await tempFolder();
  await putFile(elsewhere, 'logo.svg', 'one');
  const { root } = await tempSite({ 'public/.keep': '' });
  await symlink(join(elsewhere, 'logo.svg'), join(root, 'public/logo.svg'));
  const before = await hashOf(root);
  await putFile(elsewhere, 'logo.svg', 'two');
  expect(await hashOf(root)).not.toBe(before);
});

test('symlinks that lead back to a folder above are followed once', async () => {
  const { root } = await tempSite(FILES);
  await symlink('..', join(root, 'src/content/loop'));
  await symlink('self', join(root, 'public/self'));
  expect(await hashOf(root)).not.toBe(await hashOfFiles(FILES));
});

test('symlinks that lead nowhere count as they are', async () => {
  const { root } = await tempSite(FILES);
  await symlink('nowhere', join(root, 'public/dangling'));
  const before = await hashOf(root);
  await rm(join(root, 'public/dangling'));
  await symlink('elsewhere', join(root, 'public/dangling'));
  expect(await hashOf(root)).not.toBe(before);
});

test('the stamp read alone is the one that is read with the bytes', async () => {
  const { root } = await tempSite(FILES);
  await symlink('nowhere', join(root, 'public/dangling'));
  const { stamp } = await readSource(root, WATCH);
  expect(await readStamp(root, WATCH)).toBe(stamp);
});

test('the stamp sees a file replaced by one of the same size', async () => {
  const { root } = await tempSite(FILES);
  const before = await readStamp(root, WATCH);
  await putFile(root, 'aside', 'Z');
  await rename(join(root, 'aside'), join(root, 'src/content/a.md'));
  expect(await readStamp(root, WATCH)).not.toBe(before);
});

test('packages, git and slots are not content, unless they are named', async () => {
  const { root } = await tempSite({ 'page.txt': 'a' });
  const before = await readSource(root, watching('.'));
  for (const path of [
    'node_modules/x/a.js',
    'lib/node_modules/a.js',
    '.git/HEAD',
    'slots/state.json',
  ])
    await putFile(root, path, 'x');
  expect((await readSource(root, watching('.'))).hash).toBe(before.hash);
  expect((await readSource(root, watching('node_modules/x'))).byPath.size).toBe(1);
  await putFile(root, 'lib/slots/a.js', 'x');
  expect((await readSource(root, watching('.'))).byPath.size).toBe(2);
});
