import { readdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { isKept } from '../../slots/assets-names.ts';
import { type ClientFolder, urlPath } from '../../slots/client-folder.ts';
import { releaseDir, type SitePaths } from '../../slots/paths.ts';

/**
 * The files of a release that outlive it: those with a hash in their names below its client folders. Symlinks are not
 * followed, wherever they lead: a build's output may have some that lead out of it.
 *
 * @returns where they lie, by the decoded paths of their URLs
 */
export async function releaseFiles(
  paths: SitePaths,
  id: string,
  client: readonly ClientFolder[],
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const dist = await realpath(join(releaseDir(paths, id), 'dist'));
  for (const folder of client) {
    const root = await realpath(join(dist, folder.folder)).catch(() => null);
    if (root === null || (root !== dist && !root.startsWith(dist + sep))) continue;
    const visit = async (below: string): Promise<void> => {
      for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
        const name = below === '' ? entry.name : `${below}/${entry.name}`;
        if (entry.isDirectory() && entry.name !== 'node_modules') await visit(name);
        if (!entry.isFile()) continue;
        const path = urlPath(folder, name);
        if (isKept(path)) found.set(path, join(root, name));
      }
    };
    await visit('');
  }
  return found;
}
