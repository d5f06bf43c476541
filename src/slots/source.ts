import { createHash } from 'node:crypto';
import {
  type BigIntStats,
  createReadStream,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import type { DigestCache } from './digest-cache.ts';
import { createWatchedPaths, type WatchConfig, type WatchedPaths } from './watched.ts';

/** One watched file as it was when it was looked at. */
export interface SourceFile {
  /** Time of change, size and inode: it moves whenever somebody writes, even the same bytes under the old time. */
  stamp: string;
  /** Over its bytes. */
  digest: string;
}

/** The watched files at one instant. */
export interface Source {
  /** Over paths and bytes: equal sources build equal releases. */
  hash: string;
  /** Over paths and stamps: tells that something was written, even if it was put back. */
  stamp: string;
  /** Each file by its path relative to the site's root. */
  byPath: ReadonlyMap<string, SourceFile>;
  /** Of all files together. */
  bytes: number;
}

/** A larger file is read in pieces, so that nothing else of this process waits for it. In bytes. */
const READ_AT_ONCE = 256 * 1024;

/** How long the event loop may be kept from other work, in milliseconds: 20 000 questions to the disk are short ones. */
const TURN_MS = 8;

/**
 * Reads every watched file below `root`, behind symlinks too, since builds and the watcher follow them. A
 * watched path that does not exist is empty, not an error: a folder may come later. Files that go away
 * meanwhile are left out; their event leads to another look.
 *
 * @param cache spares the bytes of each file whose stamp it knows
 */
export async function readSource(
  root: string,
  config: WatchConfig,
  cache?: DigestCache,
): Promise<Source> {
  const hash = createHash('sha256');
  const stamp = createHash('sha256');
  const byPath = new Map<string, SourceFile>();
  let bytes = 0;
  const turn = createTurn();
  for (const path of await watchedFiles(root, config)) {
    await turn();
    const file = await readWatchedFile(path, cache).catch(() => null);
    if (file === null) continue;
    const name = relative(root, path);
    hash.update(`${name}\0${file.digest}\0`);
    stamp.update(`${name}\0${file.stamp}\0`);
    byPath.set(name, { stamp: file.stamp, digest: file.digest });
    bytes += file.bytes;
  }
  cache?.keepOnly(new Set([...byPath.keys()].map((name) => join(root, name))));
  return { hash: hash.digest('hex'), stamp: stamp.digest('hex'), byPath, bytes };
}

/** The stamp alone, without reading any file's bytes. */
export async function readStamp(root: string, config: WatchConfig): Promise<string> {
  const stamp = createHash('sha256');
  const turn = createTurn();
  for (const path of await watchedFiles(root, config)) {
    await turn();
    const stats = statsOf(path);
    if (stats) stamp.update(`${relative(root, path)}\0${stampOf(stats)}\0`);
  }
  return stamp.digest('hex');
}

/** Sorted by path, so that the hash does not depend on the order in which a folder lists its files. */
export async function watchedFiles(root: string, config: WatchConfig): Promise<string[]> {
  const paths = createWatchedPaths(root, config);
  const found = new Set<string>();
  const turn = createTurn();
  for (const path of paths.roots) await addFiles(path, { paths, found, turn }, []);
  return [...found].sort();
}

interface Walk {
  paths: WatchedPaths;
  found: Set<string>;
  turn(): Promise<void>;
}

/** @param above the real folders on the way here: a symlink to one of them is not gone into again */
async function addFiles(path: string, walk: Walk, above: readonly string[]): Promise<void> {
  await walk.turn();
  const stats = statsOf(path);
  if (!stats) return;
  const real = attempt(() => realpathSync(path)) ?? path;
  if (!stats.isDirectory() || above.includes(real)) {
    walk.found.add(path);
    return;
  }
  for (const entry of attempt(() => readdirSync(path, { withFileTypes: true })) ?? []) {
    const child = join(path, entry.name);
    if (walk.paths.leavesOut(child)) continue;
    if (entry.isDirectory() || entry.isSymbolicLink()) {
      await addFiles(child, walk, [...above, real]);
    } else walk.found.add(child);
  }
}

async function readWatchedFile(
  path: string,
  cache?: DigestCache,
): Promise<(SourceFile & { bytes: number }) | null> {
  const readNs = BigInt(Date.now()) * 1_000_000n;
  const stats = statsOf(path);
  if (!stats) return null;
  const stamp = stampOf(stats);
  const bytes = Number(stats.size);
  const known = cache?.get(path, stamp);
  if (known !== undefined) return { stamp, digest: known, bytes };
  const digest = await digestOf(path, stats);
  cache?.put(path, stamp, digest, { changedNs: stats.ctimeNs, readNs, bytes });
  return { stamp, digest, bytes };
}

async function digestOf(path: string, stats: BigIntStats): Promise<string> {
  const content = createHash('sha256');
  if (stats.isSymbolicLink()) content.update(`-> ${readlinkSync(path)}`);
  else if (stats.isFile() && stats.size <= READ_AT_ONCE) content.update(readFileSync(path));
  else if (stats.isFile()) await pipeline(createReadStream(path), content);
  return content.digest('hex');
}

/** Of what a symlink leads to; of the link itself when that is nothing. */
function statsOf(path: string): BigIntStats | null {
  return (
    attempt(() => statSync(path, { bigint: true, throwIfNoEntry: false })) ??
    attempt(() => lstatSync(path, { bigint: true })) ??
    null
  );
}

/** The stamp of one file as it is now, as `SourceFile` has it; `null` where there is none. */
export function fileStamp(path: string): string | null {
  const stats = statsOf(path);
  return stats && stampOf(stats);
}

function stampOf(stats: BigIntStats): string {
  return `${stats.ctimeNs}:${stats.size}:${stats.ino}`;
}

/** A folder or file may go at any moment, or not be ours to read. */
function attempt<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/**
 * Many short questions to the disk cost a tenth when they are asked at once, without the thread pool; this lets
 * other work go on between them.
 */
function createTurn(): () => Promise<void> {
  let began = performance.now();
  return async () => {
    if (performance.now() - began < TURN_MS) return;
    await setImmediate();
    began = performance.now();
  };
}
