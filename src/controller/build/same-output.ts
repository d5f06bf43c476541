import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** More bytes than these are not read for it: the promotion is the cheaper way then. */
const MAX_BYTES = 128 * 1024 * 1024;

/** Files of the same name that are asked or read at the same time. */
const AT_ONCE = 16;

interface Entry {
  path: string;
  /** Kind and mode, and the size of a file. */
  is: string;
  size: number;
}

/**
 * Whether two folders hold the same files with the same bytes, modes and links. `false` also where that would take long to
 * find out. Most differences show in names and sizes, before any file is read.
 */
export async function isSameOutput(one: string, other: string): Promise<boolean> {
  const [paths, others] = await Promise.all([pathsBelow(one), pathsBelow(other)]);
  if (paths.join('\0') !== others.join('\0')) return false;
  const files: string[] = [];
  let bytes = 0;
  const isAlike = await all(paths, async (path) => {
    const [a, b] = await Promise.all([entryAt(one, path), entryAt(other, path)]);
    if (a.is !== b.is) return false;
    if (a.size > 0) files.push(path);
    bytes += a.size;
    return bytes <= MAX_BYTES;
  });
  if (!isAlike) return false;
  return all(files, async (path) => {
    const [a, b] = await Promise.all([readFile(join(one, path)), readFile(join(other, path))]);
    return a.equals(b);
  });
}

async function pathsBelow(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).sort();
}

async function entryAt(folder: string, path: string): Promise<Entry> {
  const file = join(folder, path);
  const stats = await lstat(file);
  if (stats.isSymbolicLink()) return { path, is: `-> ${await readlink(file)}`, size: 0 };
  if (!stats.isFile()) return { path, is: `folder ${stats.mode}`, size: 0 };
  return { path, is: `file ${stats.mode} ${stats.size}`, size: stats.size };
}

/** Whether it holds for each; the first for which it does not ends the search. */
async function all<Value>(
  values: readonly Value[],
  holds: (value: Value) => Promise<boolean>,
): Promise<boolean> {
  for (let at = 0; at < values.length; at += AT_ONCE) {
    const found = await Promise.all(values.slice(at, at + AT_ONCE).map(holds));
    if (found.includes(false)) return false;
  }
  return true;
}
