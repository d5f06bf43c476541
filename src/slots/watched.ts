import { join, relative, resolve, sep } from 'node:path';
import { FOREIGN_FOLDERS } from './foreign.ts';
import { createIgnore } from './ignore.ts';

/** The paths of a site that are watched, as the config says. */
export interface WatchConfig {
  /** Files and folders, relative to the site's root. */
  watch: readonly string[];
  /** Patterns of what is left alone. */
  ignore: readonly string[];
  /** Folders that every release links to; they change by themselves. */
  shared: readonly string[];
}

/** Tells which paths are watched: the watcher and the source hash must never differ about it. */
export interface WatchedPaths {
  /** The watched files and folders, absolute. */
  roots: string[];
  /** Whether a change of this path counts. */
  has(path: string): boolean;
  /** Whether this path is watched, or on the way to one that is. */
  concerns(path: string): boolean;
  /**
   * Whether an entry of a watched folder is left alone, and all below it. A watched path that names such an entry
   * is looked into all the same.
   */
  leavesOut(path: string): boolean;
}

export function createWatchedPaths(root: string, config: WatchConfig): WatchedPaths {
  const ours = join(root, 'slots');
  const shared = new Set(config.shared.map((path) => resolve(root, path)));
  const roots = config.watch
    .map((path) => resolve(root, path))
    .filter((path) => ![...shared].some((folder) => `${path}${sep}`.startsWith(folder + sep)));
  const ignores = createIgnore(config.ignore);

  const leavesOut = (path: string): boolean => {
    const name = path.slice(path.lastIndexOf(sep) + 1);
    // Leave out our own files: each promotion writes them, and would start the next.
    if (FOREIGN_FOLDERS.has(name) || path === ours || shared.has(path)) return true;
    return ignores(relative(root, path).replaceAll(sep, '/'));
  };

  const isBelow = (watched: string, path: string): boolean => {
    if (path === watched) return true;
    if (!path.startsWith(watched === sep ? sep : watched + sep)) return false;
    for (let end = path.indexOf(sep, watched.length + 1); ; end = path.indexOf(sep, end + 1)) {
      if (leavesOut(end < 0 ? path : path.slice(0, end))) return false;
      if (end < 0) return true;
    }
  };

  const has = (path: string) => roots.some((watched) => isBelow(watched, path));
  return {
    roots,
    has,
    concerns: (path) => has(path) || roots.some((watched) => watched.startsWith(path + sep)),
    leavesOut,
  };
}
