import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readsFile, releaseDir, type SitePaths } from '../../src/slots/paths.ts';
import { readSiteReads } from '../../src/slots/site-reads.ts';
import { putRelease, releaseIdOf, tempSite } from '../support/temp-site.ts';

const RECORDER = fileURLToPath(new URL('../../src/instance/record-reads.ts', import.meta.url));
const OPEN_FILES = fileURLToPath(new URL('../../src/instance/open-files.ts', import.meta.url));
const ID = releaseIdOf(1);

async function site(): Promise<SitePaths & { dist: string }> {
  const paths = await tempSite({
    'content/a.md': 'a',
    'content/code.cjs': 'module.exports = 1;',
    '.env': 'A=1',
    'node_modules/x/x.md': '',
    'packages/own/own.md': '',
  });
  await putRelease(paths, ID);
  await symlink('../packages/own', join(paths.root, 'node_modules/own'));
  const dist = join(releaseDir(paths, ID), 'dist');
  await writeFile(join(dist, 'page.html'), '');
  return { ...paths, dist };
}

/** Runs this as the site does, in a process of its own, and tells what was recorded, relative to the site. */
async function read(paths: SitePaths & { dist: string }, code: string) {
  const places = JSON.stringify({ slots: paths.slots, dist: paths.dist });
  const script = `
    const { recordReads } = await import(${JSON.stringify(RECORDER)});
    const { watchOpenFiles } = await import(${JSON.stringify(OPEN_FILES)});
    watchOpenFiles(recordReads(${JSON.stringify(readsFile(paths, ID))}, ${places}).onOpen);
    const fs = (await import('node:fs')).default;
    ${code}`;
  execFileSync(process.execPath, ['--input-type=module', '--eval', script], { cwd: paths.root });
  const { files, folders, pids, unknown } = await readSiteReads(paths, ID);
  expect(pids.size).toBe(1);
  const below = (found: ReadonlySet<string>) =>
    [...found].map((path) => relative(paths.root, path)).filter((path) => !path.startsWith('..'));
  return { files: below(files).sort(), folders: below(folders).sort(), unknown };
}

test.each<[string, string]>([
  ['readFileSync', `fs.readFileSync('content/a.md')`],
  ['readFile with a callback', `await new Promise((end) => fs.readFile('content/a.md', end))`],
  ['fs/promises by name', `await (await import('fs/promises')).readFile('content/a.md')`],
  ['a descriptor', `fs.readSync(fs.openSync('content/a.md'), Buffer.alloc(1))`],
  ['a file handle', `await (await fs.promises.open('content/a.md')).readFile()`],
  ['a stream', `for await (const _ of fs.createReadStream('content/a.md'));`],
  ['a copy', `fs.copyFileSync('content/a.md', 'copy.md')`],
  ['a blob', `await fs.openAsBlob('content/a.md')`],
  ['a look at its time', `fs.statSync('content/a.md')`],
  ['a look whether it exists', `fs.existsSync('content/a.md')`],
  ['a URL', `fs.readFileSync(new URL('file://' + process.cwd() + '/content/a.md'))`],
])('a file that the site reads by %s is recorded', async (_how, code) => {
  expect(await read(await site(), code)).toEqual({
    files: ['content/a.md'],
    folders: [],
    unknown: null,
  });
});

test('a database that native code has open is recorded', async () => {
  const code = `
    const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
    const db = new DatabaseSync('content/site.db');
    await new Promise((end) => setTimeout(end, 400));`;
  expect((await read(await site(), code)).files).toEqual(['content/site.db']);
});

test('code that the site requires from its own folder is recorded', async () => {
  const code = `(await import('node:module')).createRequire(process.cwd() + '/x.js')('./content/code.cjs')`;
  expect((await read(await site(), code)).files).toContain('content/code.cjs');
});

test('a file of variables that Node itself reads is recorded', async () => {
  expect((await read(await site(), `process.loadEnvFile()`)).files).toEqual(['.env']);
});

test('a file that is looked for and not there is recorded', async () => {
  const code = `fs.existsSync('content/banner.md')`;
  expect((await read(await site(), code)).files).toEqual(['content/banner.md']);
});

test.each<[string, string]>([
  ['readdir', `fs.readdirSync('content')`],
  ['opendir', `(await fs.promises.opendir('content')).close()`],
  ['cp', `fs.cpSync('content', fs.mkdtempSync('/tmp/slots-cp-'), { recursive: true })`],
  ['glob', `fs.globSync('*.md', { cwd: 'content' })`],
])('a folder that the site lists by %s is recorded', async (_how, code) => {
  expect((await read(await site(), code)).folders).toEqual(['content']);
});

test('a file behind a link is recorded by both of its names, and a package of the workspace by its own', async () => {
  const paths = await site();
  await symlink('content', join(paths.root, 'posts'));
  const code = `fs.readFileSync('posts/a.md'); fs.readFileSync('node_modules/own/own.md')`;
  expect((await read(paths, code)).files).toEqual([
    'content/a.md',
    'node_modules/own/own.md',
    'packages/own/own.md',
    'posts/a.md',
  ]);
});

test('what belongs to the release, to slots and to installed packages is not recorded', async () => {
  const paths = await site();
  await mkdir(paths.slots, { recursive: true });
  await symlink(`releases/${ID}`, join(paths.slots, 'blue'));
  const code = `fs.readFileSync('${paths.dist}/page.html'); fs.readFileSync('slots/blue/dist/page.html');
    fs.readdirSync('slots'); fs.readFileSync('node_modules/x/x.md');`;
  expect(await read(paths, code)).toEqual({ files: [], folders: [], unknown: null });
});

test.each<[string, string, string]>([
  [
    'starts a program',
    `(await import('node:child_process')).execFileSync('true')`,
    'it starts programs',
  ],
  [
    'has threads',
    `new (await import('node:worker_threads')).Worker('1', { eval: true })`,
    'it has threads',
  ],
  [
    'loads native code',
    `try { process.dlopen({ exports: {} }, 'x.node') } catch {}`,
    'it has native code',
  ],
  [
    'reads more files than anybody lists',
    `for (let i = 0; i < 10_002; i++) fs.existsSync('content/' + i)`,
    'it reads too many files',
  ],
])('of a site that %s it is recorded that not all is known', async (_what, code, unknown) => {
  expect((await read(await site(), code)).unknown).toBe(unknown);
});
