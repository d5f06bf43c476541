import { readFileSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pull } from '../../../src/controller/deploy/git.ts';
import { withoutPasswords } from '../../../src/controller/deploy/run-git.ts';
import { git, withRemote } from '../../support/git-site.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { putFile, tempSite } from '../../support/temp-site.ts';

async function clone() {
  const { root } = await tempSite({ 'src/content/page.md': 'first' });
  const repository = await withRemote(root, await tempFolder());
  const head = () => git(root, 'rev-parse', 'HEAD');
  const page = () => readFile(join(root, 'src/content/page.md'), 'utf8');
  return { root, ...repository, head, page };
}

test('a push moves the files forward, all its commits at once', async () => {
  const { root, push, head, page } = await clone();
  const from = await head();
  await push('src/content/page.md', 'second');
  const to = await push('src/content/page.md', 'third');
  expect(await pull(root)).toEqual({ from, to, moved: true });
  expect(await page()).toBe('third');
  expect(await pull(root)).toEqual({ from: to, to, moved: false });
});

test('a push says so right before files change, and only if they do', async () => {
  const { root, push } = await clone();
  await push('src/content/page.md', 'second');
  const seen: string[] = [];
  const onMove = () => void seen.push(readFileSync(join(root, 'src/content/page.md'), 'utf8'));
  await pull(root, onMove);
  await pull(root, onMove);
  expect(seen).toEqual(['first']);
});

test('a push to another branch changes nothing', async () => {
  const { root, writer, head } = await clone();
  await git(writer, 'checkout', '--quiet', '-b', 'draft');
  await putFile(writer, 'src/content/page.md', 'draft');
  await git(writer, 'commit', '--quiet', '--all', '-m', 'Draft');
  await git(writer, 'push', '--quiet', 'origin', 'draft');
  const from = await head();
  expect(await pull(root)).toEqual({ from, to: from, moved: false });
});

test('a push reaches a site in a subfolder of its repository, on a branch with a slash', async () => {
  const { root, push, page } = await clone();
  await git(root, 'checkout', '--quiet', '-b', 'live/site', '--track', 'origin/main');
  const to = await push('src/content/page.md', 'second');
  expect(await pull(join(root, 'src/content'))).toMatchObject({ to });
  expect(await page()).toBe('second');
});

test('a push is refused: when a file was edited in place, which stays as it is', async () => {
  const { root, push, head, page } = await clone();
  const before = await head();
  await push('src/content/page.md', 'second');
  await putFile(root, 'src/content/page.md', 'edited on the server');
  await expect(pull(root)).rejects.toMatchObject({
    code: 'GIT_DIRTY',
    message: 'files are changed that are not committed: src/content/page.md',
    hint: expect.stringContaining('git restore'),
  });
  expect([await head(), await page()]).toEqual([before, 'edited on the server']);
});

test('a push is refused: when the branch was rewritten', async () => {
  const { root, push, writer, head, page } = await clone();
  await push('src/content/page.md', 'second');
  await pull(root);
  const before = await head();
  await git(writer, 'reset', '--quiet', '--hard', 'HEAD~1');
  await putFile(writer, 'src/content/page.md', 'rewritten');
  await git(writer, 'commit', '--quiet', '--all', '-m', 'Rewrite');
  await git(writer, 'push', '--quiet', '--force', 'origin', 'HEAD:main');
  await expect(pull(root)).rejects.toMatchObject({
    code: 'GIT_DIVERGED',
    message: expect.stringContaining('cannot be fast-forwarded'),
  });
  expect([await head(), await page()]).toEqual([before, 'second']);
});

test('a push is refused: when the clone has commits of its own', async () => {
  const { root } = await clone();
  await putFile(root, 'src/content/page.md', 'own');
  await git(root, 'commit', '--quiet', '--all', '-m', 'Own');
  await expect(pull(root)).rejects.toMatchObject({
    code: 'GIT_DIVERGED',
    message: expect.stringContaining('has commits that it does not have'),
  });
});

test('a push is refused: when an untracked file stands where one of its files goes', async () => {
  const { root, push, head } = await clone();
  const before = await head();
  await push('src/content/new.md', 'pushed');
  await putFile(root, 'src/content/new.md', 'untracked');
  await expect(pull(root)).rejects.toMatchObject({
    code: 'GIT_FAILED',
    message: expect.stringContaining('src/content/new.md'),
  });
  expect(await head()).toBe(before);
  expect(await readFile(join(root, 'src/content/new.md'), 'utf8')).toBe('untracked');
});

test('a push is refused: when no branch is checked out, or it follows none, or there is no repository', async () => {
  const { root } = await clone();
  await git(root, 'checkout', '--quiet', '--detach');
  await expect(pull(root)).rejects.toMatchObject({ code: 'GIT_NO_UPSTREAM' });
  await git(root, 'checkout', '--quiet', '-b', 'local');
  await expect(pull(root)).rejects.toMatchObject({ code: 'GIT_NO_UPSTREAM' });
  await rm(join(root, '.git'), { recursive: true });
  await expect(pull(root)).rejects.toMatchObject({ code: 'GIT_NO_UPSTREAM' });
});

test('a push is refused: when the remote is gone, and its password is not told', async () => {
  const { root, remote } = await clone();
  await rename(remote, `${remote}.away`);
  await expect(pull(root)).rejects.toMatchObject({
    code: 'GIT_FAILED',
    message: expect.stringContaining('git fetch: '),
  });
  expect(withoutPasswords("unable to access 'https://me:s3cret@host/a.git/': x")).toBe(
    "unable to access 'https://***@host/a.git/': x",
  );
});
