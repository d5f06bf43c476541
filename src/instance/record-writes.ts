/**
 * Records which files the site writes, so that the controller can tell them from what a person edits, and a release that is
 * written into is told of. The functions of node:fs are wrapped; what native code writes (SQLite) shows by what
 * this process has open. What child processes and worker threads write is not seen.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SiteWrite } from '../slots/site-writes.ts';

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

/** How often it is looked for files that native code has open, in milliseconds. */
const OPEN_FILES_MS = 5000;

/** A program's own files are opened before its visitors' connections, and have low numbers. */
const MAX_DESCRIPTOR = 256;

const NEVER = new Set(['node_modules', '.git']);

interface Places {
  root: string;
  /** `<root>/slots`. */
  slots: string;
  /** The output folder of the release that runs. */
  dist: string;
}

/** @param file gets a line of JSON for each path, see {@link SiteWrite} */
export function recordWrites(file: string, { root, slots, dist }: Places): void {
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
  if (process.platform !== 'linux') return;
  const look = () => openForWriting().forEach(record);
  for (const ms of [100, 1000]) setTimeout(look, ms).unref();
  setInterval(look, OPEN_FILES_MS).unref();
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

type Call = (...args: unknown[]) => unknown;

/** A proxy keeps what others hang on these functions, and how many arguments they take. */
function wrap(target: object, record: (path: string) => void): void {
  const functions = target as Record<string, Call | undefined>;
  const replace = (name: string, paths: (args: unknown[]) => unknown[]) => {
    const original = functions[name];
    if (typeof original !== 'function') return;
    functions[name] = new Proxy(original, {
      apply(call, self, args) {
        for (const path of paths(args)) {
          const absolute = toPath(path);
          if (absolute !== null) record(absolute);
        }
        return Reflect.apply(call, self, args);
      },
    });
  };
  for (const [name, places] of Object.entries(WRITERS)) {
    const paths = (args: unknown[]) => places.map((place) => args[place]);
    replace(name, paths);
    replace(`${name}Sync`, paths);
  }
  const opened = (args: unknown[]) => (isForWriting(args[1]) ? [args[0]] : []);
  replace('open', opened);
  replace('openSync', opened);
}

/** `r` is what is meant where nothing, or the callback, is given. */
function isForWriting(flags: unknown): boolean {
  if (typeof flags === 'number') return (flags & WRITING) !== 0;
  return typeof flags === 'string' && /[wa+]/.test(flags);
}

/** A descriptor says nothing of its path; it was recorded as it was opened. */
function toPath(value: unknown): string | null {
  if (typeof value === 'string') return resolve(value);
  if (value instanceof URL && value.protocol === 'file:') return fileURLToPath(value);
  if (Buffer.isBuffer(value)) return resolve(value.toString());
  return null;
}

/** The regular files that this process has open and may write. */
function openForWriting(): string[] {
  try {
    const numbers = fs.readdirSync('/proc/self/fd').filter((each) => Number(each) < MAX_DESCRIPTOR);
    return numbers.flatMap((number) => {
      try {
        const path = fs.readlinkSync(`/proc/self/fd/${number}`);
        if (!path.startsWith('/') || path.startsWith('/dev/')) return [];
        const info = fs.readFileSync(`/proc/self/fdinfo/${number}`, 'utf8');
        const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? '0', 8);
        return (flags & WRITING) === 0 ? [] : [path];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}
