/**
 * Records what the site reads of its own folder while it runs, so that the controller can tell whether an edit that changes
 * nothing in the build's output can be seen all the same. What cannot be followed is recorded too, as unknown.
 */
import childProcess from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { resolve, sep } from 'node:path';
import type { SiteRead } from '../slots/site-reads.ts';
import { observe, pathOf } from './fs-calls.ts';
import type { OpenFile } from './open-files.ts';

/** Node's module loader reads by some of these as well. */
const READERS = [
  'readFile',
  'open',
  'stat',
  'lstat',
  'access',
  'exists',
  'readlink',
  'copyFile',
  'openAsBlob',
];
const LISTERS = ['readdir', 'opendir', 'cp'];
const SPAWNERS = ['spawn', 'exec', 'execFile', 'fork'];

/** A site that reads more files than these is taken for one of which nothing is known. */
const MAX_PATHS = 10_000;

/** Installed packages do not change under a release, unless a link there leads to a package of the same workspace. */
const INSTALLED = /\/node_modules\//;

const NEVER = /\/\.git(\/|$)|^\/(proc|dev|sys)\//;

interface Places {
  /** `<root>/slots`. */
  slots: string;
  /** The output folder of the release that runs. */
  dist: string;
}

export interface ReadRecorder {
  /** Native code has this file open. */
  onOpen(file: OpenFile): void;
}

/** @param file gets a line of JSON for each {@link SiteRead} */
export function recordReads(file: string, { slots, dist }: Places): ReadRecorder {
  const { appendFileSync, realpathSync } = fs;
  const real = (path: string) => {
    try {
      return realpathSync(path);
    } catch {
      return null;
    }
  };
  const tell = (read: SiteRead) => {
    try {
      appendFileSync(file, `${JSON.stringify(read)}\n`);
    } catch {
      // Its release has been deleted, or the disk is full: nothing that the site should hear of.
    }
  };
  const known = new Set<string>();
  let told = 0;
  const once = (key: string, read: () => SiteRead | null) => {
    if (known.has(key) || told > MAX_PATHS) return;
    known.add(key);
    const found = read();
    if (found) tell(++told > MAX_PATHS ? { unknown: 'it reads too many files' } : found);
  };
  const unknown = (what: string) => once(`? ${what}`, () => ({ unknown: what }));
  const ours = [dist, real(dist) ?? dist, slots, real(slots) ?? slots];
  const isOurs = (path: string) => ours.some((folder) => (path + sep).startsWith(folder + sep));
  const record = (how: 'read' | 'list', path: string | null) => {
    if (path === null || isOurs(path) || NEVER.test(path)) return;
    once(`${how} ${path}`, () => {
      const itself = real(path);
      if (itself !== null ? isOurs(itself) || INSTALLED.test(itself) : INSTALLED.test(path))
        return null;
      return { [how]: path, ...(itself !== path && { real: itself }) } as SiteRead;
    });
  };

  for (const target of [fs, fs.promises]) {
    for (const name of READERS) each(target, name, (args) => record('read', pathOf(args[0])));
    for (const name of LISTERS) each(target, name, (args) => record('list', pathOf(args[0])));
    each(target, 'glob', (args) => record('list', globFolder(args[1])));
  }
  for (const name of SPAWNERS) each(childProcess, name, () => unknown('it starts programs'));
  observe(process, 'dlopen', () => unknown('it has native code'));
  observe(process, 'loadEnvFile', (args) => record('read', pathOf(args[0] ?? '.env')));
  process.on('worker', () => unknown('it has threads'));
  syncBuiltinESMExports();
  tell({ pid: process.pid });
  return { onOpen: ({ path }) => record('read', path) };
}

function each(target: object, name: string, look: (args: unknown[]) => void): void {
  observe(target, name, look);
  observe(target, `${name}Sync`, look);
}

function globFolder(options: unknown): string | null {
  const { cwd } = (typeof options === 'object' && options ? options : {}) as { cwd?: unknown };
  return cwd === undefined ? resolve('.') : pathOf(cwd);
}
