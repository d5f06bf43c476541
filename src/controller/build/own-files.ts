import { lstat, readdir, readFile, readlink, realpath, rm } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { ASSETS_KIND } from '../../slots/assets-index.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { RELEASE_ID } from '../../slots/release-id.ts';

/** A folder with one of these and the name `slots` is ours, and so is a file that equals ours. */
const OURS_IN_SLOTS = new Set([
  'state.json',
  'history.jsonl',
  'admin-token',
  'secrets.json',
  'failed-build.log',
  'source.json',
  'control.sock',
]);

const CONFIG_FILE = /^slots\.config\.\w+$/;

/**
 * Whether a folder is `slots/`, or a release, or a copy of one. By what is in it: a site may well have pages below
 * `/slots`.
 *
 * @param names what is in the folder
 */
function isOwnFolder(name: string, names: readonly string[]): boolean {
  const id = name.replace(/\.partial$/, '');
  if (RELEASE_ID.test(id)) return names.includes('dist') || names.includes('release.json');
  return name === 'slots' && names.some((each) => OURS_IN_SLOTS.has(each));
}

/** Whether this folder or link of a build's output must not get into a release. */
export async function isOwn(paths: SitePaths, path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => null);
  if (stats?.isSymbolicLink()) return leadsToSlots(paths, path, null);
  if (!stats?.isDirectory()) return false;
  const slots = await realpath(paths.slots).catch(() => paths.slots);
  const real = await realpath(path);
  // Where the config installs, builds run in `slots/deps/<key>`, a copy of the site.
  if (isWithin(slots, real) && !isWithin(join(slots, 'deps'), real)) return true;
  return hasOwnShape(path);
}

async function hasOwnShape(path: string): Promise<boolean> {
  const name = basename(path);
  const names = await readdir(path).catch((): string[] => []);
  if (isOwnFolder(name, names)) return true;
  if (names.includes('files') && (await isAssets(path))) return true;
  if (names.includes('state.json') && (await isState(join(path, 'state.json')))) return true;
  // Next's tracing may leave all but the releases out.
  if (name !== 'slots' || !names.includes('releases')) return false;
  const releases = await readdir(join(path, 'releases')).catch((): string[] => []);
  return releases.some((each) => RELEASE_ID.test(each.replace(/\.partial$/, '')));
}

/** Whether this is `slots/assets`, whatever the folder is called by now. */
async function isAssets(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, 'index.jsonl'), 'utf8').catch(() => '');
  return text.startsWith(`{"kind":"${ASSETS_KIND}"`);
}

/** Whether this is our state, whatever the folder is called by now. */
async function isState(file: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return ['"version"', '"epoch"', '"failedOverFrom"'].every((key) => text.includes(key));
}

/**
 * Whether this file is a copy of ours. GNU `cp` gives a folder up where it meets its own output, in the order of inodes:
 * any of the files may be there without the others, in a folder of any name.
 */
async function isOwnFile(paths: SitePaths, path: string): Promise<boolean> {
  const name = basename(path);
  if (!OURS_IN_SLOTS.has(name)) return false;
  if (name === 'state.json') return isState(path);
  const read = (file: string) => readFile(file).catch(() => Buffer.alloc(0));
  const copy = await read(path);
  const ours = await read(join(paths.slots, name));
  // History grows while a build runs: the copy may be the beginning of ours.
  return copy.length > 0 && ours.subarray(0, copy.length).equals(copy);
}

/**
 * A link to `slots/`, into it, or to a folder above it. It may lead to another folder of the same output.
 *
 * @param dir the release's output, or `null` for a link that is not in one
 */
async function leadsToSlots(paths: SitePaths, link: string, dir: string | null): Promise<boolean> {
  const target = resolve(dirname(link), await readlink(link).catch(() => ''));
  const slots = await realpath(paths.slots).catch(() => paths.slots);
  const places = [target, await realpath(target).catch(() => target)];
  return places.some((place) => {
    if (dir !== null && isWithin(dir, place)) return false;
    if (isWithin(join(slots, 'deps'), place) || isWithin(join(paths.slots, 'deps'), place))
      return false;
    return [slots, paths.slots].some((own) => isWithin(own, place) || isWithin(place, own));
  });
}

/**
 * Removes what is ours from a build's output, however it got there: a build that copies the site's folder, or follows
 * links, would put each release into the next, and the admin token where visitors may find it.
 *
 * @returns what was removed, relative to the output
 */
export async function removeOwnFiles(paths: SitePaths, outDir: string): Promise<string[]> {
  const removed: string[] = [];
  // A build may have removed its folder, which the next look at the output says.
  const real = await realpath(outDir).catch(() => null);
  if (real === null) return removed;
  const remove = async (path: string) => {
    await rm(path, { recursive: true, force: true });
    removed.push(relative(outDir, path));
  };
  const visit = async (folder: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isSymbolicLink()) {
        if (await leadsToSlots(paths, path, real)) await remove(path);
      } else if (entry.isDirectory()) {
        if (await hasOwnShape(path)) await remove(path);
        else if (entry.name !== 'node_modules') await visit(path);
      } else if (folder === outDir && CONFIG_FILE.test(entry.name)) {
        await remove(path);
      } else if (await isOwnFile(paths, path)) {
        await remove(path);
      }
    }
  };
  await visit(outDir);
  return removed.sort();
}

function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder === sep ? sep : folder + sep);
}
