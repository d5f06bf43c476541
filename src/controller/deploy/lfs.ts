/** Files of a push that are kept in Git LFS: the commit holds a pointer, the remote the bytes. */
import { SlotsError } from '../../errors.ts';
import type { Git } from './run-git.ts';

const POINTER = 'version https://git-lfs.github.com/spec/v1';

/**
 * Fetches the bytes before any file moves, so that a push is there whole or not at all.
 *
 * @returns puts the bytes in the pointers' places, once the commit is checked out
 * @throws SlotsError `GIT_NO_LFS` where a site would be built of pointers
 */
export async function fetchLfs(
  git: Git,
  remote: string,
  from: string,
  to: string,
): Promise<() => Promise<void>> {
  const isUsed = await succeeds(git('grep', '--quiet', 'filter=lfs', to, '--', '*.gitattributes'));
  if (!isUsed) return async () => {};
  const isThere = await succeeds(git('lfs', 'version'));
  // Without its filters git takes the bytes for changes of the pointers.
  const isInstalled = isThere && (await succeeds(git('config', '--get', 'filter.lfs.clean')));
  if (!isInstalled) {
    await refusePointers(git, from, to);
    return async () => {};
  }
  await git('lfs', 'fetch', remote, to);
  return async () => void (await git('lfs', 'checkout'));
}

async function refusePointers(git: Git, from: string, to: string): Promise<void> {
  const changed = await git('diff', '--name-only', '-z', '--diff-filter=d', from, to);
  const pointers = await git('grep', '-lz', '--fixed-strings', POINTER, to).catch(() => '');
  const all = new Set(pointers.split('\0').map((entry) => entry.slice(to.length + 1)));
  const found = changed.split('\0').filter((path) => path !== '' && all.has(path));
  if (found.length === 0) return;
  throw new SlotsError('GIT_NO_LFS', `${found[0]} is in Git LFS, which is not set up here`, {
    hint: 'install git-lfs, then `git lfs install --local && git lfs pull` in the site',
  });
}

function succeeds(answer: Promise<unknown>): Promise<boolean> {
  return answer.then(
    () => true,
    () => false,
  );
}
