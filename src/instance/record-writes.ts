/**
 * Records which files the site writes, so that the controller can tell them from what a person edits, and a release that is
 * written into is told of. The functions of node:fs are observed; what native code writes (SQLite) shows by what
 * this process has open. What child processes and worker threads write is not seen.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { SiteWrite } from '../slots/site-writes.ts';
import { observe, pathOf } from './fs-calls.ts';
import type { OpenFile } from './open-files.ts';

/** For each function, which of its arguments name files that change. */
const WRITERS: Record<string, number[]> = {
  writeFile: [0],
  appendFile: [0],
  truncate: [0],
  unlink: [0],
  rm: [0],
  copyFile: [1],
  cp: [1],
  link: [1],
  symlink: [1],
  rename: [0, 1],
};

const WRITING = fs.constants.O_WRONLY | fs.constants.O_RDWR;

/** A site that writes a file for each visitor is known long before; in paths. */
const MAX_PATHS = 10_000;

const NEVER = new Set(['node_modules', '.git']);

interface Places {
  root: string;
  /** `<root>/slots`. */
  slots: string;
  /** The output folder of the release that runs. */
  dist: string;
}

export interface WriteRecorder {
  /** Native code has this file open. */
  onOpen(file: OpenFile): void;
}

/** @param file gets a line of JSON for each path, see {@link SiteWrite} */
export function recordWrites(file: string, { root, slots, dist }: Places): WriteRecorder {
  const { appendFileSync, realpathSync } = fs;
  const known = new Set<string>();
  const real = (path: string) => {
    try {
      return realpathSync(path);
    } catch {
      return path;
    }
  };
  const places = { root: real(root), slots: real(slots), dist: real(dist) };

  const record = (path: string): void => {
    if (known.has(path) || known.size >= MAX_PATHS) return;
    known.add(path);
    const write = toWrite(join(real(dirname(path)), basename(path)), path, root, places);
    if (write === null) return;
    try {
      appendFileSync(file, `${JSON.stringify(write)}\n`);
    } catch {
      // Its release has been deleted, or the disk is full: nothing that the site should hear of.
    }
  };

  wrap(fs, record);
  wrap(fs.promises, record);
  syncBuiltinESMExports();
  return {
    onOpen({ path, isWritable }) {
      if (isWritable) record(path);
    },
  };
}

/**
 * @param path the file itself, behind links
 * @param asked as the site calls it
 */
function toWrite(path: string, asked: string, root: string, places: Places): SiteWrite | null {
  if (path.split(sep).some((name) => NEVER.has(name))) return null;
  if (isBelow(places.dist, path)) return { in: 'release', path: relative(places.dist, path) };
  // A link in the release, to a shared folder, leads to where the site has it.
  const here = isBelow(root, asked) && !isBelow(join(root, 'slots'), asked);
  if (here) return { in: 'site', path: relative(root, asked) };
  if (!isBelow(places.root, path) || isBelow(places.slots, path)) return null;
  return { in: 'site', path: relative(places.root, path) };
}

function isBelow(folder: string, path: string): boolean {
  return path.startsWith(folder + sep);
}

function wrap(target: object, record: (path: string) => void): void {
  const recordEach = (paths: unknown[]) => {
    for (const path of paths.map(pathOf)) if (path !== null) record(path);
  };
  for (const [name, places] of Object.entries(WRITERS)) {
    const look = (args: unknown[]) => recordEach(places.map((place) => args[place]));
    observe(target, name, look);
    observe(target, `${name}Sync`, look);
  }
  const opened = (args: unknown[]) => recordEach(isForWriting(args[1]) ? [args[0]] : []);
  observe(target, 'open', opened);
  observe(target, 'openSync', opened);
}

/** `r` is what is meant where nothing, or the callback, is given. */
function isForWriting(flags: unknown): boolean {
  if (typeof flags === 'number') return (flags & WRITING) !== 0;
  return typeof flags === 'string' && /[wa+]/.test(flags);
}
