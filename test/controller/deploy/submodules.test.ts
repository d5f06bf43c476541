import { execFileSync } from 'node:child_process';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pull } from '../../../src/controller/deploy/git.ts';
import { git as plainGit, withRemote } from '../../support/git-site.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { putFile, tempSite } from '../../support/temp-site.ts';

const FILES = ['-c', 'protocol.file.allow=always'];
const git = (folder: string, ...args: string[]) => plainGit(folder, ...FILES, ...args);
const ENV = {
  ...process.env,
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'protocol.file.allow',
  GIT_CONFIG_VALUE_0: 'always',
};

/** A site whose posts are a submodule, in the clone that is deployed and in that of the one who writes. */
async function site() {
  const { root } = await tempSite({ 'page.md': 'first' });
  const base = await tempFolder();
  const { writer, ...repository } = await withRemote(root, base);
  const posts = join(base, 'posts');
  await git(base, 'init', '--quiet', posts);
  await putFile(posts, 'a.md', 'v1');
  await git(posts, 'add', '--all');
  await git(posts, 'commit', '--quiet', '-m', 'One');
  await git(writer, 'submodule', '--quiet', 'add', posts, 'content/posts');
  const publish = async (what: string) => {
    await git(writer, 'add', '--all');
    await git(writer, 'commit', '--quiet', '-m', what);
    await git(writer, 'push', '--quiet', 'origin', 'HEAD:main');
  };
  await publish('Posts');
  return {
    root,
    base,
    writer,
    posts,
    publish,
    ...repository,
    page: () => readFile(join(root, 'content/posts/a.md'), 'utf8'),
    pull: () => pull(root, () => {}, ENV),
    /** Changes the posts and moves the site's pointer to them. */
    async post(text: string) {
      await putFile(posts, 'a.md', text);
      await git(posts, 'commit', '--quiet', '--all', '-m', text);
      await git(join(writer, 'content/posts'), 'pull', '--quiet', 'origin', 'main');
      await publish(text);
    },
  };
}

test('a push brings a submodule that it adds, and moves it with later ones', async () => {
  const { pull, page, post, root } = await site();
  expect(await pull()).toMatchObject({ moved: true });
  expect(await page()).toBe('v1');
  await post('v2');
  expect(await pull()).toMatchObject({ moved: true });
  expect(await page()).toBe('v2');
  expect(await git(root, 'status', '--porcelain')).toBe('');
  expect(await pull()).toMatchObject({ moved: false });
});

test('a push brings up a submodule that an earlier push left behind', async () => {
  const { pull, page, post, root } = await site();
  await pull();
  await post('v2');
  await git(root, 'fetch', '--quiet', '--recurse-submodules=no');
  await git(root, 'merge', '--quiet', '--ff-only', '@{upstream}');
  expect(await page()).toBe('v1');
  expect(await pull()).toMatchObject({ moved: true });
  expect(await page()).toBe('v2');
});

test('a push moves nothing when the submodule cannot be had, and all of it afterwards', async () => {
  const { pull, page, post, posts, root } = await site();
  await pull();
  await post('v2');
  const before = await git(root, 'rev-parse', 'HEAD');
  await rename(posts, `${posts}.away`);
  await expect(pull()).rejects.toMatchObject({ code: 'GIT_FAILED' });
  expect([await git(root, 'rev-parse', 'HEAD'), await page()]).toEqual([before, 'v1']);
  await rename(`${posts}.away`, posts);
  expect(await pull()).toMatchObject({ moved: true });
  expect(await page()).toBe('v2');
});

test('a push fetches a submodule from where the push says that it is now', async () => {
  const { pull, page, post, posts, writer, publish } = await site();
  await pull();
  await rename(posts, `${posts}-moved`);
  await git(writer, 'config', '-f', '.gitmodules', 'submodule.content/posts.url', `${posts}-moved`);
  await publish('Move the posts');
  await pull();
  await rename(`${posts}-moved`, posts);
  await git(writer, 'config', '-f', '.gitmodules', 'submodule.content/posts.url', posts);
  await git(writer, 'submodule', '--quiet', 'sync');
  await publish('And back');
  await pull();
  await post('v2');
  await pull();
  expect(await page()).toBe('v2');
});

test('a push overwrites neither an edit within a submodule nor a commit that only this clone has', async () => {
  const { pull, post, page, root } = await site();
  await pull();
  await post('v2');
  await putFile(root, 'content/posts/a.md', 'edited on the server');
  await expect(pull()).rejects.toMatchObject({
    code: 'GIT_DIRTY',
    message: expect.stringContaining('content/posts'),
  });
  await git(join(root, 'content/posts'), 'commit', '--quiet', '--all', '-m', 'Own');
  await expect(pull()).rejects.toMatchObject({
    code: 'GIT_DIVERGED',
    message: expect.stringContaining('content/posts'),
  });
  expect(await page()).toBe('edited on the server');
});

test('a push leaves a clone without its submodules that was made so', async () => {
  const { base, remote, push } = await site();
  const clone = join(base, 'bare-of-them');
  await git(base, 'clone', '--quiet', remote, clone);
  await push('page.md', 'second');
  await pull(clone, () => {}, ENV);
  expect(await readFile(join(clone, 'page.md'), 'utf8')).toBe('second');
  await expect(readFile(join(clone, 'content/posts/a.md'))).rejects.toThrow('ENOENT');
});

const hasLfs = (() => {
  try {
    execFileSync('git', ['lfs', 'version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 5\n`;

test('files in Git LFS of a push are refused where git-lfs is not set up, rather than built of pointers', async () => {
  const { root } = await tempSite({ 'page.md': 'first' });
  const { push } = await withRemote(root, await tempFolder());
  await push('.gitattributes', '*.png filter=lfs diff=lfs merge=lfs -text\n');
  await pull(root, () => {}, { ...process.env, HOME: root });
  const before = await git(root, 'rev-parse', 'HEAD');
  await push('a.png', POINTER);
  await expect(pull(root, () => {}, { ...process.env, HOME: root })).rejects.toMatchObject({
    code: 'GIT_NO_LFS',
    message: expect.stringContaining('a.png'),
  });
  expect(await git(root, 'rev-parse', 'HEAD')).toBe(before);
});

test.skipIf(!hasLfs)('files in Git LFS come with their bytes (needs git-lfs)', async () => {
  const { root } = await tempSite({ 'page.md': 'first' });
  const { push, writer } = await withRemote(root, await tempFolder());
  for (const clone of [root, writer]) await git(clone, 'lfs', 'install', '--local');
  await push('.gitattributes', '*.png filter=lfs diff=lfs merge=lfs -text\n');
  await push('a.png', 'bytes');
  expect(await git(writer, 'cat-file', '-p', 'HEAD:a.png')).toContain('git-lfs');
  const skip = { ...process.env, GIT_LFS_SKIP_SMUDGE: '1' };
  expect(await pull(root, () => {}, skip)).toMatchObject({ moved: true });
  expect(await readFile(join(root, 'a.png'), 'utf8')).toBe('bytes');
  expect(await git(root, 'status', '--porcelain')).toBe('');
  expect(await pull(root)).toMatchObject({ moved: false });
});
