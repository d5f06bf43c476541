import { SlotsError } from '../../errors.ts';
import { fetchLfs } from './lfs.ts';
import { gitIn } from './run-git.ts';
import { followsSubmodules, outdatedSubmodules, updateSubmodules } from './submodules.ts';

export interface Pulled {
  /** The commit that was checked out. */
  from: string;
  /** The commit that is checked out now. */
  to: string;
  /** Files moved. Of the same commit, too, where a submodule had been left behind. */
  moved: boolean;
}

/**
 * Fetches the checked-out branch's remote and moves the files forward to it. Nothing is ever merged, rebased
 * or thrown away: what cannot be done without is refused. Submodules and files in LFS come along.
 *
 * @param onMove called right before files change, if any do
 * @throws SlotsError `GIT_NO_UPSTREAM`, `GIT_DIRTY`, `GIT_DIVERGED`, `GIT_NO_LFS` or `GIT_FAILED`
 */
export async function pull(
  root: string,
  onMove: () => void = () => {},
  env: NodeJS.ProcessEnv = process.env,
): Promise<Pulled> {
  const top = await gitIn(root, env)('rev-parse', '--show-toplevel').catch(() => root);
  const git = gitIn(top, env);
  const upstream = await git('rev-parse', '--abbrev-ref', '@{upstream}').catch(() => {
    throw new SlotsError('GIT_NO_UPSTREAM', 'the checked-out branch follows no remote branch', {
      hint: 'git branch --set-upstream-to=origin/<branch>',
    });
  });
  const changed = withoutMovedSubmodules(
    await git('status', '--porcelain=v2', '--untracked-files=no', '--ignore-submodules=untracked'),
  );
  if (changed.length > 0) {
    throw new SlotsError(
      'GIT_DIRTY',
      `files are changed that are not committed: ${list(changed)}`,
      {
        hint: 'commit and push them, or put them back with git restore',
      },
    );
  }
  const remote = remoteOf(upstream);
  // With the commits that submodules are to move to, so that nothing moves where one of them cannot be had.
  await git('fetch', '--quiet', '--no-tags', '--recurse-submodules=on-demand', '--', remote);
  const from = await git('rev-parse', 'HEAD');
  const to = await git('rev-parse', '@{upstream}');
  const follows = await followsSubmodules(git, from);
  const outdated = follows ? await outdatedSubmodules(git, top, to, env) : [];
  if (from === to && outdated.length === 0) return { from, to, moved: false };
  const base = await git('merge-base', from, to).catch(() => '');
  if (base !== from) {
    const why =
      base === to ? 'has commits that it does not have' : 'cannot be fast-forwarded to it';
    throw new SlotsError('GIT_DIVERGED', `${upstream} was fetched, but this clone ${why}`, {
      hint: `git log --oneline ${upstream}...HEAD shows where the two differ`,
    });
  }
  const checkOutLfs = await fetchLfs(git, remote, from, to);
  onMove();
  await git('merge', '--quiet', '--ff-only', to);
  await checkOutLfs();
  if (follows) await updateSubmodules(git, from, to);
  return { from, to, moved: true };
}

/** `origin/main` names the remote up to its first slash; a name with a slash is git's own to find. */
function remoteOf(upstream: string): string {
  return upstream.split('/')[0] as string;
}

/**
 * The changed paths of `git status --porcelain=v2`, without submodules that only have another commit checked out
 * than the recorded one: that is no edit, and is looked at by itself.
 */
function withoutMovedSubmodules(status: string): string[] {
  const lines = status.split('\n').filter((line) => line !== '' && !/^1 \.M SC\.[.U] /.test(line));
  // A renamed file has one column more, and its old path after a tab.
  return lines.map((line) => {
    const columns = line.startsWith('2 ') ? 9 : line.startsWith('u ') ? 10 : 8;
    return line.split(' ').slice(columns).join(' ').split('\t')[0] as string;
  });
}

function list(files: string[]): string {
  const shown = files.slice(0, 5).join(', ');
  return files.length > 5 ? `${shown} and ${files.length - 5} more` : shown;
}
