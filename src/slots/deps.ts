import { createHash } from 'node:crypto';
import { readdir, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { SitePaths } from './paths.ts';

export const DEPS_KEY = /^[0-9a-f]{16}$/;

/** The dependencies of releases, one folder for each lock file that there was: `slots/deps/<key>/node_modules`. */
export function depsFolder(paths: SitePaths): string {
  return join(paths.slots, 'deps');
}

export function depsDir(paths: SitePaths, key: string): string {
  return join(depsFolder(paths), key);
}

/** Where an install runs; nothing else ever looks in there. */
export function partialDepsDir(paths: SitePaths): string {
  return join(depsFolder(paths), '.partial');
}

/** Keys of package.json that say which packages there are to be. */
const MANIFEST_KEYS = [
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
  'overrides',
  'resolutions',
  'workspaces',
  'pnpm',
];

/**
 * Equal keys mean equal packages: the lock file says which, the command how, and Node what fits its binaries. What
 * package.json asks for is in it so that an install meets one that the lock file does not fit, and refuses.
 */
export function depsKey(lockFile: Buffer, manifest: string, install: string | string[]): string {
  const { platform, arch, versions } = process;
  return createHash('sha256')
    .update(JSON.stringify([install, platform, arch, versions.modules, asksFor(manifest)]))
    .update(lockFile)
    .digest('hex')
    .slice(0, 16);
}

/** A package.json that does not parse is one of its own, for the install to complain about. */
function asksFor(manifest: string): unknown {
  try {
    const parsed = JSON.parse(manifest);
    return MANIFEST_KEYS.map((key) => parsed[key] ?? null);
  } catch {
    return manifest;
  }
}

/**
 * Gives a release its dependencies. Node looks for packages upward from a file's real path, so it meets this link
 * before the site's own node_modules.
 *
 * @param dir the release's folder, or the one it is built in: the way to the packages is the same
 */
export async function linkDeps(dir: string, key: string): Promise<void> {
  await symlink(join('..', '..', 'deps', key, 'node_modules'), join(dir, 'node_modules'));
}

/** The dependencies that a release has, or `null` when it uses those of the site. */
async function depsOf(dir: string): Promise<string | null> {
  const target = await readlink(join(dir, 'node_modules')).catch(() => '');
  const key = target.split('/').at(-2) ?? '';
  return DEPS_KEY.test(key) ? key : null;
}

export async function listDeps(paths: SitePaths): Promise<string[]> {
  const names = await readdir(depsFolder(paths)).catch(() => []);
  return names.filter((name) => DEPS_KEY.test(name));
}

/**
 * Removes what no release uses any more. The links tell, not the releases' own words: a release whose
 * release.json cannot be read may be running.
 *
 * @param current stays in any case: the next build needs it, also after one that failed
 * @returns what was removed
 */
export async function pruneDeps(paths: SitePaths, current: string | null): Promise<string[]> {
  const keys = await listDeps(paths);
  if (keys.length === 0) return [];
  const releases = await readdir(paths.releases).catch(() => []);
  const used = new Set(await Promise.all(releases.map((id) => depsOf(join(paths.releases, id)))));
  const unused = keys.filter((key) => key !== current && !used.has(key));
  for (const key of unused) await rm(depsDir(paths, key), { recursive: true, force: true });
  return unused;
}
