import { constants, type Dirent } from 'node:fs';
import { copyFile, mkdir, readdir, readlink, rm, stat, symlink, utimes } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve, sep } from 'node:path';

/** Neither copied nor removed, wherever they are: packages are what the copy has of its own. */
const APART = new Set(['node_modules']);

/** The same in the site's own folder: what is ours, git's, and what frameworks keep between builds. */
const APART_AT_ROOT = new Set([
  'slots',
  '.git',
  '.astro',
  '.cache',
  '.next',
  '.nuxt',
  '.output',
  '.react-router',
  '.svelte-kit',
  '.turbo',
  '.vite',
]);

/** File systems keep time in steps; what was written within one of them may be newer than it looks, in milliseconds. */
const CLOCK_STEP_MS = 20;

/**
 * Makes `to` a copy of the site in `root`, file by file: what is alike already is left alone, what the site has not is
 * removed. Files that go away meanwhile are left out; the watcher tells of them.
 */
export async function mirrorSite(
  root: string,
  to: string,
  shared: readonly string[] = [],
): Promise<void> {
  const apart = new Set(shared.map((folder) => join(root, folder)));
  await mirrorFolder(root, to, { root, isRoot: true, shared: apart });
}

interface Place {
  root: string;
  isRoot: boolean;
  /** Folders to link instead of copying them, absolute: they are large and change by themselves. */
  shared: ReadonlySet<string>;
}

async function mirrorFolder(from: string, to: string, place: Place): Promise<void> {
  await mkdir(to, { recursive: true });
  const isApart = ({ name }: Dirent) =>
    APART.has(name) || (place.isRoot && APART_AT_ROOT.has(name));
  const list = async (folder: string) =>
    (await readdir(folder, { withFileTypes: true })).filter((entry) => !isApart(entry));
  const wanted = await list(from);
  const had = new Map((await list(to)).map((entry) => [entry.name, entry]));
  const names = new Set(wanted.map(({ name }) => name));
  for (const name of had.keys()) if (!names.has(name)) await remove(join(to, name));
  await Promise.all(
    wanted.map(async (entry) => {
      const before = had.get(entry.name);
      const target = join(to, entry.name);
      const kind = place.shared.has(join(from, entry.name)) ? 'link' : kindOf(entry);
      if (before && kindOf(before) !== kind) await remove(target);
      await mirrorEntry(entry, join(from, entry.name), target, place).catch(ignoreGone);
    }),
  );
}

async function mirrorEntry(entry: Dirent, from: string, to: string, place: Place): Promise<void> {
  if (place.shared.has(from)) await linkFolder(from, to);
  else if (entry.isDirectory()) await mirrorFolder(from, to, { ...place, isRoot: false });
  else if (entry.isSymbolicLink()) await mirrorLink(from, to, place.root);
  else if (entry.isFile()) await mirrorFile(from, to);
}

/** A change of an unchanged size and time is told by the time of change, which nobody can set back. */
async function mirrorFile(from: string, to: string): Promise<void> {
  const source = await stat(from);
  const copy = await stat(to).catch(() => null);
  const isAlike =
    copy !== null &&
    copy.size === source.size &&
    copy.mode === source.mode &&
    Math.abs(copy.mtimeMs - source.mtimeMs) < 1 &&
    source.ctimeMs + CLOCK_STEP_MS < copy.ctimeMs;
  if (isAlike) return;
  // Anew rather than over the old one, which may be read-only.
  await remove(to);
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await utimes(to, source.atime, source.mtime);
}

/** A link to somewhere outside the site must not change its meaning because the copy lies deeper. */
async function mirrorLink(from: string, to: string, root: string): Promise<void> {
  const target = await readlink(from);
  const absolute = resolve(dirname(from), target);
  const isInside = !isAbsolute(target) && (absolute === root || absolute.startsWith(root + sep));
  await remove(to);
  await symlink(isInside ? target : absolute, to);
}

async function linkFolder(from: string, to: string): Promise<void> {
  await remove(to);
  await symlink(from, to);
}

function kindOf(entry: Dirent): string {
  if (entry.isDirectory()) return 'folder';
  return entry.isSymbolicLink() ? 'link' : 'file';
}

async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

function ignoreGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
