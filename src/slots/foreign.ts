import { basename, join, relative, sep } from 'node:path';

/** Folders that are never content: packages, and what git keeps. Both are large and change by themselves. */
export const FOREIGN_FOLDERS: ReadonlySet<string> = new Set(['node_modules', '.git']);

/**
 * Whether a path below a watched one is left alone: what we write ourselves would start a promotion for ever. A
 * watched path that names such a folder is looked into all the same.
 *
 * @param watched the watched path that it lies in, absolute
 */
export function isForeign(root: string, watched: string, path: string): boolean {
  if (path === watched) return false;
  if (isWithin(join(root, 'slots'), path) && !isWithin(join(root, 'slots'), watched)) return true;
  return relative(watched, path)
    .split(sep)
    .some((name) => FOREIGN_FOLDERS.has(name));
}

function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder + sep);
}

/** The same for one entry of a folder on the way down from a watched path. */
export function isForeignEntry(root: string, path: string): boolean {
  return FOREIGN_FOLDERS.has(basename(path)) || path === join(root, 'slots');
}
