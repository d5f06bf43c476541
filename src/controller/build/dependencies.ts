import { execFile } from 'node:child_process';
import {
  cp,
  mkdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Config } from '../../config/schema.ts';
import { depsDir, depsFolder, depsKey, partialDepsDir } from '../../slots/deps.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { type CommandRun, runCommand } from './command.ts';
import { mirrorSite } from './mirror.ts';

type InstallingConfig = Config & { install: string | string[]; lockFile: string };

type Run = Omit<CommandRun, 'what' | 'command' | 'cwd'>;

export function installs(config: Config): config is InstallingConfig {
  return config.install !== undefined && config.lockFile !== undefined;
}

/** The dependencies that the site's lock file asks for now; `null` where the config installs nothing. */
export async function wantedDeps(config: Config, root: string): Promise<string | null> {
  if (!installs(config)) return null;
  return keyOf(root, config).catch(() => null);
}

async function keyOf(folder: string, { install, lockFile }: InstallingConfig): Promise<string> {
  const lock = await readFile(join(folder, lockFile));
  const manifest = await readFile(join(folder, 'package.json'), 'utf8').catch(() => '');
  return depsKey(lock, manifest, install);
}

/**
 * Makes a folder ready to build in that is the site with packages of its own: those that the lock file names. A build in
 * the site itself would find the site's node_modules, whatever PATH says, and those must not change while
 * releases that were made before this use them. Bundlers look packages up from a file's real path,
 * so the folder has copies of the site's files, not links.
 *
 * It is kept: the next build with the same lock file copies only what has changed, and finds its caches.
 *
 * @returns the key of the dependencies, and the folder
 * @throws SlotsError as {@link runCommand} does
 */
export async function prepareDependencies(
  config: InstallingConfig,
  paths: SitePaths,
  run: Run,
): Promise<{ key: string; dir: string }> {
  const key = await keyOf(paths.root, config);
  const dir = depsDir(paths, key);
  if (await isFolder(dir)) {
    await mirrorSite(paths.root, dir, config.shared);
    await followGit(paths.root, dir);
    return { key, dir };
  }
  const partial = partialDepsDir(paths);
  try {
    return await installInto(partial, config, paths, run);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function installInto(
  partial: string,
  config: InstallingConfig,
  paths: SitePaths,
  run: Run,
): Promise<{ key: string; dir: string }> {
  await rm(partial, { recursive: true, force: true });
  await mirrorSite(paths.root, partial, config.shared);
  await followGit(paths.root, partial);
  // The site may have been edited since the last look: what is installed is what was copied.
  const key = await keyOf(partial, config);
  await reachNeighbours(paths, await readFile(join(partial, config.lockFile), 'utf8'));
  await runCommand({
    ...run,
    // A package manager takes this for a wish to leave out what only builds need.
    env: withoutNodeEnv(run.env, config.env),
    what: 'install',
    command: config.install,
    cwd: partial,
  });
  await mkdir(join(partial, 'node_modules'), { recursive: true });
  const dir = depsDir(paths, key);
  if (!(await isFolder(dir))) await rename(partial, dir);
  return { key, dir };
}

function withoutNodeEnv(
  env: Record<string, string>,
  configured: Record<string, string>,
): Record<string, string> {
  if (configured.NODE_ENV !== undefined) return env;
  const { NODE_ENV: _, ...rest } = env;
  return rest;
}

/**
 * A package that lies beside the site (`file:../lib`) is beside the copy too, by a link. What lies further up is
 * not found, which the install says.
 */
async function reachNeighbours(paths: SitePaths, lock: string): Promise<void> {
  const names = [...lock.matchAll(/["'@ ](?:file:|link:)?\.\.\/(\w[^/"'\s]*)/g)].map(
    ([, name]) => name,
  );
  for (const name of new Set(names as string[])) {
    const link = join(depsFolder(paths), name);
    await rm(link, { force: true });
    await symlink(join(dirname(paths.root), name), link);
  }
}

/**
 * Makes the copy a root of its own: Next takes the highest folder with a lock file for its workspace, which would be the
 * site above, and puts its server elsewhere for it. Where the site is the root of its repository, the copy has
 * its history too.
 */
async function followGit(root: string, dir: string): Promise<void> {
  const own = join(dir, '.git');
  await rm(own, { recursive: true, force: true });
  await mkdir(own);
  const [top, gitDir, common] = await git(root, [
    '--show-toplevel',
    '--absolute-git-dir',
    '--path-format=absolute',
    '--git-common-dir',
  ]);
  if (top !== (await realpath(root)) || !gitDir || !common) return;
  await cp(join(gitDir, 'HEAD'), join(own, 'HEAD'));
  await writeFile(join(own, 'commondir'), `${common}\n`);
}

async function git(root: string, args: string[]): Promise<string[]> {
  return promisify(execFile)('git', ['rev-parse', ...args], { cwd: root })
    .then(({ stdout }) => stdout.trim().split('\n'))
    .catch(() => []);
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
