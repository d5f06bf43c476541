import { lstat, mkdir, realpath, rename } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { releaseDir, type SitePaths } from '../../slots/paths.ts';
import { readSiteWrites } from '../../slots/site-writes.ts';

/** SQLite keeps what is not in the database yet in files beside it, which may be open for too short a time to be seen. */
const BESIDE = ['', '-wal', '-shm', '-journal'];

/**
 * Moves what the site itself has written into a release to `slots/written/<release>`, since the release is about to be
 * deleted: an upload has no other copy. What the site can make again, such as a cache, is left.
 *
 * @returns what was moved, relative to the release's `dist`
 */
export async function moveWrites(paths: SitePaths, id: string): Promise<string[]> {
  const { releases } = await readSiteWrites(paths);
  const dist = join(releaseDir(paths, id), 'dist');
  const moved: string[] = [];
  // A folder comes before what is in it, and takes that along.
  const written = (releases.get(id) ?? []).flatMap((path) => BESIDE.map((end) => path + end));
  for (const path of [...new Set(written)].sort()) {
    const from = join(dist, path);
    if (!(await isInside(dist, from))) continue;
    const to = join(paths.written, id, path);
    await mkdir(dirname(to), { recursive: true });
    await rename(from, to);
    moved.push(path);
  }
  return moved;
}

/** There, and not behind a link that leads out of the release: a shared folder stays where it is. */
async function isInside(dist: string, path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  if (!found || found.isSymbolicLink()) return false;
  const [top, folder] = await Promise.all([realpath(dist), realpath(dirname(path))]);
  return folder === top || folder.startsWith(top + sep);
}
