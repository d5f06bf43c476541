import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isForeignEntry } from './foreign.ts';

/** The watched files at one instant. */
export interface Source {
  /** Over paths and bytes: equal sources build equal releases. */
  hash: string;
  /** Over paths, sizes and change times: tells that something was written, even if it was put back. */
  stamp: string;
  files: number;
}

/**
 * Reads every watched file below `root`, behind symlinks too, since builds and the watcher follow them. A
 * watched path that does not exist is empty, not an error: a folder may come later. Files that go away
 * meanwhile are left out; their event leads to another look.
 */
export async function readSource(root: string, watch: readonly string[]): Promise<Source> {
  const hash = createHash('sha256');
  const stamp = createHash('sha256');
  const files = await watchedFiles(root, watch);
  for (const path of files) {
    const name = relative(root, path);
    const digest = await digestOf(path).catch(() => null);
    if (digest === null) continue;
    hash.update(`${name}\0${digest.content}\0`);
    stamp.update(`${name}\0${digest.stamp}\0`);
  }
  return { hash: hash.digest('hex'), stamp: stamp.digest('hex'), files: files.length };
}

/** The stamp alone, without reading any file's bytes. */
export async function readStamp(root: string, watch: readonly string[]): Promise<string> {
  const stamp = createHash('sha256');
  for (const path of await watchedFiles(root, watch)) {
    const stats = await statsOf(path).catch(() => null);
    if (stats) stamp.update(`${relative(root, path)}\0${stampOf(stats)}\0`);
  }
  return stamp.digest('hex');
}

/** Sorted by path, so that the hash does not depend on the order in which a folder lists its files. */
export async function watchedFiles(root: string, watch: readonly string[]): Promise<string[]> {
  const found = await Promise.all(watch.map((path) => filesBelow(root, join(root, path), [])));
  return [...new Set(found.flat())].sort();
}

/** @param above the real folders on the way here: a symlink to one of them is not gone into again */
async function filesBelow(root: string, path: string, above: readonly string[]): Promise<string[]> {
  const stats = await statsOf(path).catch(() => null);
  if (!stats) return [];
  const real = await realpath(path).catch(() => path);
  if (!stats.isDirectory() || above.includes(real)) return [path];
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  const below = await Promise.all(
    entries.map((entry) => {
      const child = join(path, entry.name);
      if (isForeignEntry(root, child)) return [];
      return entry.isDirectory() || entry.isSymbolicLink()
        ? filesBelow(root, child, [...above, real])
        : [child];
    }),
  );
  return below.flat();
}

async function digestOf(path: string): Promise<{ content: string; stamp: string }> {
  const stats = await statsOf(path);
  const content = createHash('sha256');
  if (stats.isSymbolicLink()) content.update(`-> ${await readlink(path)}`);
  else if (stats.isFile()) await pipeline(createReadStream(path), content);
  return { content: content.digest('hex'), stamp: stampOf(stats) };
}

/** Of what a symlink leads to; of the link itself when that is nothing. */
function statsOf(path: string) {
  return stat(path, { bigint: true }).catch(() => lstat(path, { bigint: true }));
}

function stampOf(stats: { ctimeNs: bigint; size: bigint; ino: bigint }): string {
  return `${stats.ctimeNs}:${stats.size}:${stats.ino}`;
}
