import { execa } from 'execa';
import { SlotsError } from '../../errors.ts';
import { siteEnvironment } from '../build/environment.ts';

/** For one git command, in milliseconds: a fetch may bring much, and a remote may hang. */
const TIMEOUT_MS = 120_000;

export interface Pulled {
  /** The commit that was checked out. */
  from: string;
  /** The commit that is checked out now. */
  to: string;
}

/**
 * Fetches the checked-out branch's remote and moves the files forward to it. Nothing is ever merged, rebased
 * or thrown away: what cannot be done without is refused.
 *
 * @param onMove called right before files change, if any do
 * @throws SlotsError `GIT_NO_UPSTREAM`, `GIT_DIRTY`, `GIT_DIVERGED` or `GIT_FAILED`
 */
export async function pull(
  root: string,
  onMove: () => void = () => {},
  env: NodeJS.ProcessEnv = process.env,
): Promise<Pulled> {
  const git = (...args: string[]) => run(root, env, args);
  const upstream = await git('rev-parse', '--abbrev-ref', '@{upstream}').catch(() => {
    throw new SlotsError('GIT_NO_UPSTREAM', 'the checked-out branch follows no remote branch', {
      hint: 'git branch --set-upstream-to=origin/<branch>',
    });
  });
  const changed = await git('status', '--porcelain', '--untracked-files=no');
  if (changed !== '') {
    throw new SlotsError(
      'GIT_DIRTY',
      `files are changed that are not committed: ${list(changed)}`,
      {
        hint: 'commit and push them, or put them back with git restore',
      },
    );
  }
  await git('fetch', '--quiet', '--no-tags', '--', remoteOf(upstream));
  const from = await git('rev-parse', 'HEAD');
  const to = await git('rev-parse', '@{upstream}');
  if (from === to) return { from, to };
  const base = await git('merge-base', from, to).catch(() => '');
  if (base !== from) {
    const why =
      base === to ? 'has commits that it does not have' : 'cannot be fast-forwarded to it';
    throw new SlotsError('GIT_DIVERGED', `${upstream} was fetched, but this clone ${why}`, {
      hint: `git log --oneline ${upstream}...HEAD shows where the two differ`,
    });
  }
  onMove();
  await git('merge', '--quiet', '--ff-only', to);
  return { from, to };
}

async function run(root: string, env: NodeJS.ProcessEnv, args: string[]): Promise<string> {
  const result = await execa('git', args, {
    cwd: root,
    env: {
      // Nobody is there to type a password.
      GIT_SSH_COMMAND: 'ssh -oBatchMode=yes',
      ...siteEnvironment(env, {}),
      GIT_TERMINAL_PROMPT: '0',
      LC_ALL: 'C',
    },
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    killDescendants: true,
    timeout: TIMEOUT_MS,
  });
  if (!result.failed) return result.stdout.trim();
  const why = result.timedOut
    ? `no end after ${TIMEOUT_MS / 1000} s`
    : withoutPasswords(result.stderr.trim() || (result.originalMessage ?? 'it failed'));
  throw new SlotsError('GIT_FAILED', `git ${args[0]}: ${why.split('\n').slice(0, 5).join('; ')}`);
}

/** `origin/main` names the remote up to its first slash; a name with a slash is git's own to find. */
function remoteOf(upstream: string): string {
  return upstream.split('/')[0] as string;
}

/** git names the remote's whole URL in its errors, with whatever stands before the host. */
export function withoutPasswords(text: string): string {
  return text.replaceAll(/\/\/[^/@\s]+@/g, '//***@');
}

function list(porcelain: string): string {
  const files = porcelain.split('\n').map((line) => line.replace(/^\s*\S+\s+/, ''));
  const shown = files.slice(0, 5).join(', ');
  return files.length > 5 ? `${shown} and ${files.length - 5} more` : shown;
}
