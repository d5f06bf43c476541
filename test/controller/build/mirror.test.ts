import {
  chmod,
  lstat,
  mkdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mirrorSite } from '../../../src/controller/build/mirror.ts';
import { filesBelow } from '../../support/files-below.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { putFile, tempSite } from '../../support/temp-site.ts';
import { until } from '../../support/until.ts';

const FILES = { 'a.txt': 'a', 'src/b.txt': 'b', 'src/deep/c.txt': 'c' };

async function mirrored(files: Record<string, string>) {
  const { root } = await tempSite(files);
  const to = join(root, 'slots/copy');
  const again = () => mirrorSite(root, to);
  await again();
  return { root, to, again };
}

test('copies the site, without packages, git, our own folder and caches', async () => {
  const { to } = await mirrored({
    ...FILES,
    'node_modules/x/i.js': 'x',
    'packages/p/node_modules/x/i.js': 'x',
    'packages/p/i.js': 'p',
    '.git/HEAD': 'x',
    '.next/cache/x': 'x',
    'src/.next/x.txt': 'x',
    '.env': 'A=1',
  });
  expect(await filesBelow(to)).toEqual({
    ...FILES,
    'packages/p/i.js': 'p',
    'src/.next/x.txt': 'x',
    '.env': 'A=1',
  });
});

test('follows what is changed, removed, renamed, or becomes another kind of thing', async () => {
  const { root, to, again } = await mirrored(FILES);
  await putFile(to, 'node_modules/own/i.js', 'installed');
  await putFile(to, '.astro/cache', 'kept');
  await writeFile(join(root, 'a.txt'), 'changed');
  await rename(join(root, 'src/b.txt'), join(root, 'src/renamed.txt'));
  await rm(join(root, 'src/deep'), { recursive: true });
  await writeFile(join(root, 'src/deep'), 'a file now');
  await again();
  expect(await filesBelow(to)).toEqual({
    'a.txt': 'changed',
    'src/renamed.txt': 'b',
    'src/deep': 'a file now',
    'node_modules/own/i.js': 'installed',
    '.astro/cache': 'kept',
  });
});

test('leaves alone what is alike, so that caches by time go on', async () => {
  const { root, to, again } = await mirrored(FILES);
  const before = await stat(join(to, 'a.txt'));
  expect(Math.abs(before.mtimeMs - (await stat(join(root, 'a.txt'))).mtimeMs)).toBeLessThan(1);
  await until(async () => {
    await again();
    const { ino } = await stat(join(to, 'a.txt'));
    await again();
    return (await stat(join(to, 'a.txt'))).ino === ino;
  }, 'the copy to be taken for alike');
});

test('sees a change that keeps the size and is given the old time', async () => {
  const { root, to, again } = await mirrored(FILES);
  const { atime, mtime } = await stat(join(root, 'a.txt'));
  await writeFile(join(root, 'a.txt'), 'A');
  await utimes(join(root, 'a.txt'), atime, mtime);
  await again();
  expect(await readFile(join(to, 'a.txt'), 'utf8')).toBe('A');
});

test('keeps modes, and replaces what is read-only', async () => {
  const { root, to, again } = await mirrored(FILES);
  await chmod(join(root, 'a.txt'), 0o555);
  await again();
  expect((await stat(join(to, 'a.txt'))).mode & 0o777).toBe(0o555);
  await chmod(join(root, 'a.txt'), 0o644);
  await writeFile(join(root, 'a.txt'), 'new');
  await again();
  expect(await readFile(join(to, 'a.txt'), 'utf8')).toBe('new');
});

test('links lead where they did: inside to the copy, outside to the same place', async () => {
  const outside = await tempFolder();
  await putFile(outside, 'shared.txt', 'shared');
  const { root, to, again } = await mirrored(FILES);
  await symlink('src/b.txt', join(root, 'inside'));
  await symlink(join('..', outside.split('/').at(-1) as string), join(root, 'relative'));
  await symlink(outside, join(root, 'absolute'));
  await symlink('nowhere', join(root, 'dangling'));
  await again();
  expect(await readlink(join(to, 'inside'))).toBe('src/b.txt');
  expect(await readFile(join(to, 'relative/shared.txt'), 'utf8')).toBe('shared');
  expect(await readFile(join(to, 'absolute/shared.txt'), 'utf8')).toBe('shared');
  expect((await lstat(join(to, 'dangling'))).isSymbolicLink()).toBe(true);
  await rm(join(root, 'inside'));
  await mkdir(join(root, 'inside'));
  await again();
  expect((await lstat(join(to, 'inside'))).isDirectory()).toBe(true);
});

test('is the same as the site after any two states of it', async () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  const site = fc.dictionary(path, fc.constantFrom('1', '2', '33'), { maxKeys: 6 });
  await fc.assert(
    fc.asyncProperty(site, site, async (first, second) => {
      const root = await tempFolder();
      const to = join(root, 'slots/copy');
      for (const state of [first, second]) {
        for (const part of ['a', 'b', 'c']) {
          await rm(join(root, part), { recursive: true, force: true });
        }
        for (const [file, text] of Object.entries(state)) {
          // A path below a file of the same state has no place.
          await putFile(root, file, text).catch(() => {});
        }
        await mirrorSite(root, to);
        const expected = await filesBelow(root, 'slots');
        expect(await filesBelow(to)).toEqual(expected);
      }
    }),
    { numRuns: 30 },
  );
});
