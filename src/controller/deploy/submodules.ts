/** Moves the clone's submodules after a push. */
import { join } from 'node:path';
import { SlotsError } from '../../errors.ts';
import { type Git, gitIn } from './run-git.ts';

/**
 * Submodules whose checked-out commit is not the recorded one: a push that was cut short leaves such.
 *
 * @param top the clone's top folder
 * @param to the commit that is to be checked out
 * @throws SlotsError `GIT_DIVERGED` for one that has commits of its own, which moving it would lose
 */
export async function outdatedSubmodules(
  git: Git,
  top: string,
  to: string,
  env: NodeJS.ProcessEnv,
): Promise<string[]> {
  const status = await git('status', '--porcelain=v2', '--untracked-files=no');
  // `1 .M SC.. <mode> <mode> <mode> <hash> <hash> <path>`: C is another commit than the recorded one.
  const moved = status
    .split('\n')
    .flatMap((line) => /^1 .. SC.. (?:\S+ ){5}(.+)$/.exec(line)?.[1] ?? []);
  for (const path of moved) {
    const inside = gitIn(join(top, path), env);
    const recorded = await git('rev-parse', `${to}:${path}`);
    const isBehind = await inside('merge-base', '--is-ancestor', 'HEAD', recorded).then(
      () => true,
      // A commit that is not there yet can only be newer, unless the submodule has commits that no remote has.
      async () =>
        (await inside('cat-file', '-e', recorded).then(
          () => false,
          () => true,
        )) && (await inside('rev-list', '--max-count=1', 'HEAD', '--not', '--remotes')) === '',
    );
    if (!isBehind) {
      throw new SlotsError(
        'GIT_DIVERGED',
        `the submodule ${path} has a commit of its own checked out`,
        {
          hint: `git submodule update ${path} checks out the recorded one`,
        },
      );
    }
  }
  return moved;
}

/** Whether this clone has its submodules checked out: one made without them is left without. */
export async function followsSubmodules(git: Git, from: string): Promise<boolean> {
  const configured = git(
    'config',
    '--get-regexp',
    String.raw`^submodule\.(active$|.*\.(url|active)$)`,
  );
  const had = git('cat-file', '-e', `${from}:.gitmodules`);
  const [isConfigured, hadSome] = await Promise.all(
    [configured, had].map((answer) =>
      answer.then(
        () => true,
        () => false,
      ),
    ),
  );
  // The first submodule of a clone comes with a push.
  return isConfigured === true || hadSome === false;
}

/** Checks out the recorded commits, of new submodules too, from where `.gitmodules` says now. */
export async function updateSubmodules(git: Git, from: string, to: string): Promise<void> {
  const [before, now] = await Promise.all([submoduleUrls(git, from), submoduleUrls(git, to)]);
  for (const [name, url] of now) {
    const known = before.get(name);
    // An URL that somebody set in this clone stays, unless the push changes it.
    if (known === undefined || known === url) continue;
    const path = await git('config', '--blob', `${to}:.gitmodules`, `submodule.${name}.path`);
    await git('submodule', '--quiet', 'sync', '--recursive', '--', path);
  }
  await git('submodule', '--quiet', 'update', '--init', '--recursive');
}

async function submoduleUrls(git: Git, commit: string): Promise<Map<string, string>> {
  const text = await git(
    'config',
    '--blob',
    `${commit}:.gitmodules`,
    '--get-regexp',
    String.raw`^submodule\..*\.url$`,
  ).catch(() => '');
  const found = [...text.matchAll(/^submodule\.(.+)\.url (.+)$/gm)];
  return new Map(found.map(([, name, url]) => [name as string, url as string]));
}
