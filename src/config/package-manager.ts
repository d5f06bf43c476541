import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type PackageManager = 'npm' | 'pnpm' | 'yarn' | 'bun';

const LOCK_FILES: [string, PackageManager][] = [
  ['npm-shrinkwrap.json', 'npm'],
  ['package-lock.json', 'npm'],
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
];

/** Where a site's packages are managed: its own folder, or that of the workspace it is part of. */
export interface PackageHome {
  manager: PackageManager;
  /** The folder of the lock file, absolute; `null` where there is none. */
  folder: string | null;
}

/**
 * By the nearest lock file, here or above: in a workspace the lock file is the workspace's.
 *
 * @param named package.json's `packageManager`, for instance `pnpm@10.2.0`, for sites without a lock file
 */
export function packageHome(root: string, named?: unknown): PackageHome {
  for (let folder = root; ; folder = dirname(folder)) {
    const found = LOCK_FILES.find(([name]) => existsSync(join(folder, name)));
    if (found) return { manager: found[1], folder };
    // Stop at the repository's root: folders above it are not the site's.
    if (existsSync(join(folder, '.git')) || folder === dirname(folder)) break;
  }
  const [, name] = /^(npm|pnpm|yarn|bun)@/.exec(String(named)) ?? [];
  return { manager: (name as PackageManager | undefined) ?? 'npm', folder: null };
}

/** Runs a script of package.json. npm alone takes `--` to mean that what follows is for the script. */
export function scriptCommand(manager: PackageManager, script: string, args: string[] = []) {
  const separator = manager === 'npm' && args.length > 0 ? ['--'] : [];
  return [manager, 'run', script, ...separator, ...args];
}

/** For people: how one more package is added. */
export function addCommand(manager: PackageManager, name: string, dev = false): string {
  if (manager === 'npm') return `npm install ${dev ? '-D ' : ''}${name}`;
  return `${manager} add ${dev ? '-D ' : ''}${name}`;
}

/** For people: how everything that the lock file names is installed. */
export function installCommand({ manager, folder }: PackageHome): string {
  if (manager === 'npm') return folder === null ? 'npm install' : 'npm ci';
  return `${manager} install --frozen-lockfile`;
}
