import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { releaseDir, type SitePaths } from '../../src/slots/paths.ts';
import { readSiteWrites } from '../../src/slots/site-writes.ts';
import { putRelease, releaseIdOf, tempSite } from '../support/temp-site.ts';

const RECORDER = fileURLToPath(new URL('../../src/instance/record-writes.ts', import.meta.url));
const OPEN_FILES = fileURLToPath(new URL('../../src/instance/open-files.ts', import.meta.url));
const ID = releaseIdOf(1);

/** A site with one release and a folder that the release links to. */
async function site(): Promise<SitePaths & { dist: string }> {
  const paths = await tempSite({ 'content/a.md': 'a', 'uploads/.keep': '' });
  await putRelease(paths, ID);
  const dist = join(releaseDir(paths, ID), 'dist');
  await symlink('../../../../uploads', join(dist, 'uploads'));
  return { ...paths, dist };
}

/** Runs this as the site does, in a process of its own, and tells what was recorded. */
async function written(
  paths: SitePaths & { dist: string },
  code: string,
  cwd = paths.root,
): Promise<{ site: string[]; release: string[] }> {
  const file = join(releaseDir(paths, ID), 'written.txt');
  const places = JSON.stringify({ root: paths.root, slots: paths.slots, dist: paths.dist });
  const script = `
    const { recordWrites } = await import(${JSON.stringify(RECORDER)});
    const { watchOpenFiles } = await import(${JSON.stringify(OPEN_FILES)});
    watchOpenFiles(recordWrites(${JSON.stringify(file)}, ${places}).onOpen);
    const fs = (await import('node:fs')).default;
    ${code}`;
  execFileSync(process.execPath, ['--input-type=module', '--eval', script], { cwd });
  const { site, releases } = await readSiteWrites(paths);
  return { site: [...site].sort(), release: [...(releases.get(ID) ?? [])].sort() };
}

test.each<[string, string]>([
  ['writeFileSync', `fs.writeFileSync('content/x', '1')`],
  ['writeFile with a callback', `await new Promise((end) => fs.writeFile('content/x', '1', end))`],
  ['fs/promises by name', `await (await import('fs/promises')).writeFile('content/x', '1')`],
  ['a function taken by name', `(await import('node:fs')).appendFileSync('content/x', '1')`],
  ['a descriptor', `fs.writeSync(fs.openSync('content/x', 'w'), '1')`],
  [
    'a descriptor by number flags',
    `fs.openSync('content/x', fs.constants.O_RDWR | fs.constants.O_CREAT)`,
  ],
  ['a file handle', `await (await fs.promises.open('content/x', 'a')).write('1')`],
  ['a stream', `fs.createWriteStream('content/x', { flags: 'a' }).end('1')`],
  ['a copy', `fs.copyFileSync('content/a.md', 'content/x')`],
  ['cp', `fs.cpSync('content/a.md', 'content/x')`],
  ['a URL', `fs.writeFileSync(new URL('file://' + process.cwd() + '/content/x'), '1')`],
  ['an absolute path in bytes', `fs.writeFileSync(Buffer.from(process.cwd() + '/content/x'), '1')`],
  ['CommonJS', `process.getBuiltinModule('fs').writeFileSync('content/x', '1')`],
])('a file that the site writes by %s is recorded', async (_how, code) => {
  const paths = await site();
  expect(await written(paths, code)).toEqual({ site: ['content/x'], release: [] });
});

test('a file that is renamed or removed is recorded too', async () => {
  const paths = await site();
  const code = `fs.writeFileSync('content/.x.tmp', '1'); fs.renameSync('content/.x.tmp', 'content/x'); fs.rmSync('content/a.md')`;
  expect((await written(paths, code)).site).toEqual([
    'content/.x.tmp',
    'content/a.md',
    'content/x',
  ]);
});

test('a database that native code has open is recorded', async () => {
  const paths = await site();
  const code = `
    const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
    const db = new DatabaseSync('content/site.db');
    db.exec('create table t (x)');
    await new Promise((end) => setTimeout(end, 400));`;
  expect((await written(paths, code)).site).toContain('content/site.db');
});

test('reading, packages and what slots keeps are not recorded', async () => {
  const paths = await site();
  await mkdir(join(paths.root, 'node_modules/x'), { recursive: true });
  await writeFile(join(paths.slots, 'state.json'), '{}');
  const code = `
    fs.readFileSync('content/a.md'); fs.openSync('content/a.md'); fs.createReadStream('content/a.md');
    await fs.promises.open('content/a.md', 'r');
    fs.writeFileSync('node_modules/x/cache', '1'); fs.writeFileSync('slots/state.json', '{}');
    fs.writeFileSync('/dev/null', '1');`;
  expect(await written(paths, code)).toEqual({ site: [], release: [] });
});

test('a file that is written into the release is told apart from one of the site', async () => {
  const paths = await site();
  const code = `fs.mkdirSync('public/up', { recursive: true }); fs.writeFileSync('public/up/cat.txt', 'meow');
    fs.mkdirSync('.next/cache', { recursive: true }); fs.writeFileSync('.next/cache/x', '1');`;
  expect(await written(paths, code, paths.dist)).toEqual({
    site: [],
    release: ['public/up/cat.txt'],
  });
});

test('a file that is written through the link to a shared folder is one of the site', async () => {
  const paths = await site();
  const code = `fs.writeFileSync('uploads/cat.txt', 'meow')`;
  expect(await written(paths, code, paths.dist)).toEqual({
    site: ['uploads/cat.txt'],
    release: [],
  });
});

test('what others hang on the functions of node:fs, and how they fail, stays', async () => {
  const paths = await site();
  const code = `
    const { promisify } = process.getBuiltinModule('util');
    await promisify(fs.writeFile)('content/x', '1');
    if (fs.writeFile.length !== 4 || fs.openSync.name !== 'openSync') throw new Error('changed');
    try { fs.writeFileSync('nowhere/x', '1'); throw new Error('no'); } catch (e) { if (e.code !== 'ENOENT') throw e; }
    try { fs.writeFileSync({}, '1'); throw new Error('no'); } catch (e) { if (e.code !== 'ERR_INVALID_ARG_TYPE') throw e; }`;
  expect((await written(paths, code)).site).toContain('content/x');
});
