import { mkdir, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { parseEntry } from '../../slots/entry.ts';
import type { SitePaths } from '../../slots/paths.ts';

/** Where frameworks keep files that are served as they are. */
const PUBLIC_FOLDER = /^(?:public|static)\/(.+)$/;

/** Where their builds put those, in the output. */
const CLIENT_FOLDERS = ['client', 'build/client', 'public'];

/**
 * Links the site's `shared` folders into a build's output: at the same path as in the site, and where the build has put
 * what lies in `public`. What the site writes there, and what visitors are served from there, is of the site
 * and outlives every release.
 *
 * @returns the links, relative to the output
 */
export async function linkShared(
  config: Config,
  { root }: SitePaths,
  outDir: string,
): Promise<string[]> {
  const links: string[] = [];
  for (const folder of config.shared) {
    const target = join(root, folder);
    await mkdir(target, { recursive: true });
    for (const place of await placesOf(folder, config, outDir)) {
      const link = join(outDir, place);
      // Removes the build's copy; of a link only the link goes, not its target.
      await rm(link, { recursive: true, force: true });
      await mkdir(dirname(link), { recursive: true });
      // The site may be moved with all it has. The output's folder is renamed, which leaves its depth as it is.
      await symlink(relative(dirname(link), target), link);
      links.push(place);
    }
  }
  return links;
}

async function placesOf(folder: string, config: Config, outDir: string): Promise<Set<string>> {
  const { kind, path: served } = parseEntry(config.entry);
  const places = new Set<string>();
  for (const { from, to } of config.copy ?? []) {
    if (from === '.') places.add(join(to, folder));
    else if (folder.startsWith(`${from}/`)) places.add(join(to, folder.slice(from.length + 1)));
  }
  const below = PUBLIC_FOLDER.exec(folder)?.[1];
  // All of a static site's output is for visitors, and no server of it writes anything: what is not public stays out.
  if (kind === 'static') {
    if (below !== undefined && places.size === 0) places.add(join(served, below));
    return places;
  }
  places.add(folder);
  if (below === undefined) return places;
  for (const client of CLIENT_FOLDERS) {
    if (await isFolder(join(outDir, client))) places.add(join(client, below));
  }
  return places;
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
