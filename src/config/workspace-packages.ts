import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { PackageJson } from './presets/preset.ts';

/**
 * Finds the source of the packages that the site shares a workspace with: package managers link them into node_modules.
 *
 * @returns paths relative to the site, which lie outside it
 */
export function workspaceSources(root: string, packageJson: PackageJson): string[] {
  const { dependencies, devDependencies } = packageJson;
  const real = realpathSync(root);
  return Object.keys({ ...dependencies, ...devDependencies }).flatMap((name) => {
    const folder = linkedFolder(join(root, 'node_modules', name));
    if (folder === null || !isOutside(real, folder)) return [];
    const path = relative(real, folder);
    // Leave out a package's own output: builds write it, people do not.
    return existsSync(join(folder, 'src')) ? [`${path}/src`, `${path}/package.json`] : [path];
  });
}

/** `null` for what is installed, and for a link to nothing. pnpm links what is installed too, within a node_modules. */
function linkedFolder(path: string): string | null {
  try {
    if (!lstatSync(path).isSymbolicLink()) return null;
    const folder = realpathSync(path);
    return folder.split(sep).includes('node_modules') ? null : folder;
  } catch {
    return null;
  }
}

/** slots itself, linked from a clone that the site lies in, holds the site and is no package of it. */
function isOutside(root: string, folder: string): boolean {
  return (
    !`${folder}${sep}`.startsWith(`${root}${sep}`) && !`${root}${sep}`.startsWith(`${folder}${sep}`)
  );
}
