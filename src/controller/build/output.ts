import { constants } from 'node:fs';
import { cp, lstat, mkdir, readdir, readlink, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import type { Copy } from '../../config/presets/preset.ts';
import type { Config } from '../../config/schema.ts';
import { SlotsError } from '../../errors.ts';
import { parseEntry } from '../../slots/entry.ts';
import { FOREIGN_FOLDERS } from '../../slots/foreign.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { isOwn } from './own-files.ts';

/** Of the site itself: what is ours and what a release gets elsewhere. */
const NOT_OF_THE_SITE = /^(slots\.config\.\w+|\.git)$/;

interface Place {
  paths: SitePaths;
  /** Folders that are linked into the output instead, absolute. */
  shared: ReadonlySet<string>;
  outDir: string;
  left: LeftOut;
}

/** Paths that stayed behind, relative to the output. */
export interface LeftOut {
  /** Paths of `slots/` that a build had copied. */
  own: string[];
  /** Links that lead nowhere, as editors put beside a file that is open. */
  dangling: string[];
}

/**
 * Puts what the config's `copy` names into the output folder. The site's own folder is copied entry by entry:
 * the output folder lies in it, and a folder cannot be copied into itself.
 *
 * @param from the folder that was built in
 * @throws SlotsError `BUILD_EMPTY` when something is not there
 */
export async function copyOutput(
  config: Config,
  paths: SitePaths,
  from: string,
  outDir: string,
): Promise<LeftOut> {
  const shared = new Set(config.shared.map((folder) => join(from, folder)));
  const place: Place = { paths, shared, outDir, left: { own: [], dangling: [] } };
  for (const copy of config.copy ?? []) {
    const source = join(from, copy.from);
    const stats = await stat(source).catch(() => null);
    const places = copy.from === '.' ? [] : [source, dirname(source)];
    const own = await Promise.all(places.map((path) => isOwn(paths, path)));
    if (own.includes(true)) throw ownFolder(copy.from);
    if (stats?.isDirectory()) await copyFolder(source, join(outDir, copy.to), copy, place);
    else if (stats) await copyFile(source, join(outDir, copy.to, basename(source)));
    else if (!copy.optional) throw missing(config, copy.from);
  }
  return place.left;
}

async function copyFolder(from: string, to: string, copy: Copy, place: Place): Promise<void> {
  const isSite = copy.from === '.';
  const isLeft = (name: string) =>
    copy.except?.includes(name) || (isSite && NOT_OF_THE_SITE.test(name));
  await mkdir(to, { recursive: true });
  const links: Link[] = [];
  for (const name of await readdir(from)) {
    if (isLeft(name)) continue;
    await cp(join(from, name), join(to, name), {
      recursive: true,
      // A link inside the output must lead to the copy, not back to where it was built.
      verbatimSymlinks: true,
      mode: constants.COPYFILE_FICLONE,
      // For Last-Modified, and for whoever resumes a download by it.
      preserveTimestamps: true,
      filter: async (path, target) => {
        // A standalone build brings its own node_modules; those of the site stay where they are.
        if (isSite && FOREIGN_FOLDERS.has(basename(path))) return false;
        if (place.shared.has(path) || !(await isContent(path))) return false;
        if (await isOwn(place.paths, path)) {
          // Where the site itself is the release, nobody is surprised that `slots/` stays behind.
          if (path !== place.paths.slots) place.left.own.push(relative(place.outDir, target));
          return false;
        }
        if (!(await lstat(path)).isSymbolicLink()) return true;
        if (await stat(path).catch(() => null)) links.push({ path, target });
        else place.left.dangling.push(relative(place.outDir, target));
        return false;
      },
    });
  }
  for (const link of links) await copyLink(from, link);
}

interface Link {
  path: string;
  /** Where its copy goes. */
  target: string;
}

/** A relative link out of the folder would lead elsewhere from where the copy lies. */
async function copyLink(from: string, { path, target }: Link): Promise<void> {
  const written = await readlink(path);
  const leadsTo = resolve(dirname(path), written);
  const isInside = leadsTo === from || leadsTo.startsWith(from + sep);
  await mkdir(dirname(target), { recursive: true });
  await rm(target, { force: true, recursive: true });
  await symlink(isInside ? written : leadsTo, target);
}

function ownFolder(path: string): SlotsError {
  return new SlotsError('BUILD_FAILED', `"copy" names ${path}, which belongs to slots`, {
    hint: 'a release holds nothing of slots/: name what the build writes',
  });
}

/** A socket or a pipe is of a program that runs in the site, and cannot be copied. */
async function isContent(path: string): Promise<boolean> {
  const stats = await lstat(path);
  return stats.isFile() || stats.isDirectory() || stats.isSymbolicLink();
}

async function copyFile(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, { mode: constants.COPYFILE_FICLONE });
}

function missing({ todo }: Config, path: string): SlotsError {
  return new SlotsError('BUILD_EMPTY', `the build succeeded but there is no ${path} to copy`, {
    hint: todo ?? 'set "copy" to what the build writes, or let it write to {outDir}',
  });
}

/** @throws SlotsError `BUILD_EMPTY` when the output has nothing that could serve */
export async function checkOutput({ entry, todo }: Config, outDir: string): Promise<void> {
  const files = await readdir(outDir).catch(() => []);
  if (files.length === 0) {
    throw new SlotsError(
      'BUILD_EMPTY',
      'the build succeeded but wrote nothing to its output folder',
      {
        hint: 'it must write to {outDir}, which is also in SLOTS_OUT_DIR',
      },
    );
  }
  const { kind, path } = parseEntry(entry);
  const found = await stat(join(outDir, path)).catch(() => null);
  if (kind === 'static' ? found?.isDirectory() : found?.isFile()) return;
  throw new SlotsError('BUILD_EMPTY', `the build succeeded but wrote no ${path}`, {
    hint:
      todo ?? `set "entry" to the server's file; the output has ${files.slice(0, 8).join(', ')}`,
  });
}
