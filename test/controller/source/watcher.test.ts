import { appendFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { UserConfig } from '../../../src/config/schema.ts';
import { createWatcher } from '../../../src/controller/source/watcher.ts';
import { collectedLog } from '../../support/collected-log.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { putFile, tempSite } from '../../support/temp-site.ts';
import { testConfig } from '../../support/test-config.ts';
import { until } from '../../support/until.ts';

const FILES = {
  'src/content/a.md': 'A',
  'src/content/deep/b.md': 'B',
  'public/c.png': 'C',
  'src/lib.ts': 'not watched',
};

/** Watches a new site; `told` waits until a change of this path was told of. */
async function watched(
  files: Record<string, string>,
  config: UserConfig = {},
  prepare: (root: string) => Promise<void> = async () => {},
) {
  const { root } = await tempSite(files);
  await prepare(root);
  const changes: string[] = [];
  const { log, lines } = collectedLog();
  const user = { watch: ['src/content', 'public'], ...config };
  const watcher = createWatcher(root, testConfig(user), (path) => changes.push(path), log);
  await watcher.start();
  onTestFinished(() => watcher.close());
  const told = async (path: string) => {
    await until(() => changes.includes(path), `${path} among ${JSON.stringify(changes)}`);
    changes.length = 0;
  };
  const put = (path: string, text: string) => putFile(root, path, text);
  const at = (path: string) => join(root, path);
  return { root, changes, lines, told, put, at, watcher };
}

describe.each([
  ['by events', {}],
  ['by polling', { usePolling: true }],
])('watching %s', (_name, config) => {
  test('tells of a file that is changed, created, renamed or deleted', async () => {
    const { told, put, at } = await watched(FILES, config);
    await put('src/content/a.md', 'changed');
    await told('src/content/a.md');
    await put('public/new.png', 'created');
    await told('public/new.png');
    await rename(at('src/content/deep/b.md'), at('src/content/deep/renamed.md'));
    await told('src/content/deep/renamed.md');
    await rm(at('src/content/a.md'));
    await told('src/content/a.md');
  });

  test('tells of every file in a new folder, and goes on watching it', async () => {
    const { told, put } = await watched(FILES, config);
    await put('src/content/new/deeper/x.md', 'one');
    await told('src/content/new/deeper/x.md');
    await put('src/content/new/deeper/x.md', 'two!');
    await told('src/content/new/deeper/x.md');
    await put('src/content/new/deeper/y.md', 'three');
    await told('src/content/new/deeper/y.md');
  });

  test('tells of a file that an editor saves by renaming another over it, each time', async () => {
    const { told, put, at } = await watched(FILES, config);
    for (const text of ['first save', 'and the second']) {
      await put('src/content/.a.md.swp', text);
      await rename(at('src/content/.a.md.swp'), at('src/content/a.md'));
      await told('src/content/a.md');
    }
  });

  test('tells of a watched folder that is deleted, and of what comes when it is made again', async () => {
    const { told, put, at } = await watched(FILES, config);
    await rm(at('public'), { recursive: true });
    await told('public/c.png');
    await put('public/c.png', 'again');
    await told('public/c.png');
    await put('public/c.png', 'and changed');
    await told('public/c.png');
  });

  test('goes on when a watched folder is replaced at once, as a checkout does', async () => {
    const { told, put, at } = await watched(FILES, config);
    for (const round of ['one', 'three']) {
      await rm(at('src/content'), { recursive: true });
      await put(`src/content/${round}.md`, round);
      await told(`src/content/${round}.md`);
    }
    await put('src/content/three.md', 'changed');
    await told('src/content/three.md');
  });

  test('tells of what comes to a watched folder that was not there at the start', async () => {
    const { told, put } = await watched({ 'src/lib.ts': '' }, config);
    await put('public/new.png', 'one');
    await told('public/new.png');
    await put('src/content/new.md', 'two');
    await told('src/content/new.md');
  });
});

describe('watching', () => {
  test('tells of what comes to a watched folder several levels below what is there', async () => {
    const { told, put } = await watched({}, { watch: ['docs/pages/en'] });
    await put('docs/pages/en/intro.md', 'one');
    await told('docs/pages/en/intro.md');
  });

  test('tells of a single watched file, and of no other beside it', async () => {
    const { told, put, changes } = await watched(
      { 'site.json': '{}', 'other.json': '{}' },
      { watch: ['site.json'] },
    );
    await put('other.json', '{ }');
    await put('site.json', '{ }');
    await until(() => changes.includes('site.json'), 'the watched file');
    expect(changes).not.toContain('other.json');
    changes.length = 0;
    await put('site.json', '{  }');
    await told('site.json');
  });

  test('tells of nothing that is not watched, even with a name that begins alike', async () => {
    const { told, put, changes } = await watched({ ...FILES, 'public2/x': '' });
    for (const path of ['src/lib.ts', 'public2/x', 'src/contents.md', 'slots/releases/r1/x']) {
      await put(path, 'changed');
    }
    await put('public/c.png', 'changed');
    await until(() => changes.includes('public/c.png'), 'the watched file');
    expect(new Set(changes)).toEqual(new Set(['public/c.png']));
    await put('src/content/a.md', 'changed');
    await told('src/content/a.md');
  });

  test('tells of no packages, nothing of git and nothing of ours when it watches the site itself', async () => {
    const site = await watched(FILES, { watch: ['.'] });
    for (const path of [
      'slots/state.json',
      'node_modules/x/a.js',
      'lib/node_modules/a.js',
      '.git/HEAD',
    ])
      await site.put(path, 'x');
    await site.put('new/page.html', 'x');
    await until(() => site.changes.includes('new/page.html'), 'the page');
    expect(site.changes.filter((path) => /slots|node_modules|\.git/.test(path))).toEqual([]);
  });

  test('tells of nothing at its start, however many files there are', async () => {
    const many = Array.from({ length: 200 }, (_, file) => [`public/${file}.txt`, 'x']);
    const { changes, put } = await watched({ ...FILES, ...Object.fromEntries(many) });
    await put('src/content/a.md', 'changed');
    await until(() => changes.length > 0, 'the change');
    expect(new Set(changes)).toEqual(new Set(['src/content/a.md']));
  });

  test('tells of an edit in a folder that a symlink leads to', async () => {
    const vault = await tempFolder();
    await putFile(vault, 'notes/n.md', 'one');
    const link = (root: string) => symlink(vault, join(root, 'src/content'));
    const { told } = await watched({ 'src/lib.ts': '' }, {}, link);
    await appendFile(join(vault, 'notes/n.md'), 'two');
    await told('src/content/notes/n.md');
  });

  test('tells of what a symlink leads to that comes later', async () => {
    const vault = await tempFolder();
    await putFile(vault, 'notes/n.md', 'one');
    const { at, told } = await watched({ 'src/lib.ts': '' });
    await symlink(vault, at('src/content'));
    await told('src/content/notes/n.md');
    await appendFile(join(vault, 'notes/n.md'), 'two');
    await told('src/content/notes/n.md');
  });

  test('misses none of the files that a checkout writes at once', async () => {
    const { changes, at } = await watched(FILES);
    const names = Array.from({ length: 300 }, (_, file) => `src/content/${file % 7}/${file}.md`);
    for (const folder of names.slice(0, 7))
      await mkdir(join(at(folder), '..'), { recursive: true });
    await Promise.all(names.map((name) => writeFile(at(name), name)));
    const missing = () => names.filter((name) => !changes.includes(name));
    await until(() => missing().length === 0, 'all 300 files');
  });

  test('is silent after it was closed', async () => {
    const { watcher, put, changes } = await watched(FILES);
    await watcher.close();
    const other = await watched({});
    await put('src/content/a.md', 'changed');
    await other.put('public/x', 'x');
    await other.told('public/x');
    expect(changes).toEqual([]);
  });

  test('finds by a look at the files what no event told of', async () => {
    const { root } = await tempSite({ 'a/b/c/x.md': 'x' });
    const changes: string[] = [];
    const watcher = createWatcher(
      root,
      testConfig({ watch: ['a/b/c'] }),
      (path) => changes.push(path),
      collectedLog().log,
      100,
    );
    await watcher.start();
    onTestFinished(() => watcher.close());
    await rename(join(root, 'a'), join(root, 'away'));
    await putFile(root, 'a/b/c/x.md', 'a new one, in a new folder that nobody watches');
    await until(() => changes.includes(''), 'the look');
  });
});
