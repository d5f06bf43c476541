import { chmod, mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isSameOutput } from '../../../src/controller/build/same-output.ts';
import { tempFolder } from '../../support/temp-folder.ts';

async function output(): Promise<string> {
  const folder = await tempFolder();
  await mkdir(join(folder, 'assets/empty'), { recursive: true });
  await writeFile(join(folder, 'index.html'), 'a page');
  await writeFile(join(folder, 'assets/a.bin'), Buffer.from([0, 255, 0, 1]));
  await symlink('../../../uploads', join(folder, 'uploads'));
  return folder;
}

test('two outputs are the same with the same files, modes and links', async () => {
  expect(await isSameOutput(await output(), await output())).toBe(true);
});

test.each<[string, (folder: string) => Promise<unknown>]>([
  ['a byte', (folder) => writeFile(join(folder, 'assets/a.bin'), Buffer.from([0, 255, 0, 2]))],
  ['a size', (folder) => truncate(join(folder, 'index.html'), 5)],
  ['a file more', (folder) => writeFile(join(folder, 'more'), '')],
  ['a file less', (folder) => rm(join(folder, 'index.html'))],
  ['a folder less', (folder) => rm(join(folder, 'assets/empty'), { recursive: true })],
  ['a name', (folder) => rename(join(folder, 'index.html'), join(folder, 'Index.html'))],
  ['a mode', (folder) => chmod(join(folder, 'index.html'), 0o755)],
  [
    'the target of a link',
    async (folder) => {
      await rm(join(folder, 'uploads'));
      await symlink('../uploads', join(folder, 'uploads'));
    },
  ],
  [
    'a folder in the place of a file',
    async (folder) => {
      await rm(join(folder, 'index.html'));
      await mkdir(join(folder, 'index.html'));
    },
  ],
])('two outputs are not the same that differ in %s', async (_what, change) => {
  const other = await output();
  await change(other);
  expect(await isSameOutput(await output(), other)).toBe(false);
});

test('outputs that are too large to be read again count as different', async () => {
  const folders = [await output(), await output()] as const;
  for (const folder of folders) {
    await writeFile(join(folder, 'film'), '');
    await truncate(join(folder, 'film'), 200 * 1024 * 1024);
  }
  expect(await isSameOutput(...folders)).toBe(false);
});
