import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { type ClientFolder, urlPath } from '../../slots/client-folder.ts';
import { releaseDir, type SitePaths } from '../../slots/paths.ts';
import { readRelease } from '../../slots/release.ts';

/** More files of one release are not told from its pages: their names would take more memory than they are worth. */
const MOST_FILES = 100_000;

/** The URLs under which a release has files that visitors get as they are. */
export interface ReleaseFiles {
  /** Whether a URL is that of a file; `false` as long as the release has not been looked through. */
  has(release: string, path: string): boolean;
  /** These are the releases that count from now on. */
  follow(releases: ReadonlySet<string>): void;
}

/** Reads the client folders of releases that are followed, each once: a complete release never changes. */
export function createReleaseFiles(paths: SitePaths): ReleaseFiles {
  const known = new Map<string, ReadonlySet<string>>();
  return {
    has: (release, path) => known.get(release)?.has(decoded(path)) === true,
    follow(releases) {
      for (const release of known.keys()) if (!releases.has(release)) known.delete(release);
      for (const release of releases) {
        if (known.has(release)) continue;
        const none: ReadonlySet<string> = new Set();
        known.set(release, none);
        void filesOf(paths, release).then(
          (files) => known.get(release) === none && known.set(release, files),
          // Its files are answered by the site then, as ever.
          () => {},
        );
      }
    },
  };
}

async function filesOf(paths: SitePaths, release: string): Promise<Set<string>> {
  const { client = [] } = await readRelease(paths, release);
  const urls = new Set<string>();
  for (const folder of client) {
    const dir = join(releaseDir(paths, release), 'dist', folder.folder);
    for (const name of await namesBelow(dir)) {
      for (const url of urlsOf(folder, name)) if (urls.size < MOST_FILES) urls.add(url);
    }
  }
  return urls;
}

/** A link is no file here: it may lead to what changes without a release. */
async function namesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(dir, join(parentPath, name)).split(sep).join('/'));
}

/** A page is asked for without its `.html`, and one that is called `index.html` by its folder. */
export function urlsOf(folder: ClientFolder, name: string): string[] {
  const own = urlPath(folder, name);
  if (!own.endsWith('.html')) return [own];
  const bare = own.slice(0, -'.html'.length);
  if (!bare.endsWith('/index')) return [own, bare, `${bare}/`];
  const parent = bare.slice(0, -'index'.length);
  return parent === '/' ? [own, parent] : [own, parent, parent.slice(0, -1)];
}

function decoded(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
