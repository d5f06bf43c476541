import { readdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { plainText } from '../plain-text.ts';
import { parseEntry } from './entry.ts';
import { type SitePaths, writesFile } from './paths.ts';

/** A file that a process of a slot has written, as instance/record-writes.ts tells it. */
export interface SiteWrite {
  in: 'site' | 'release';
  /** Relative to the site's root, or to the release's `dist`. */
  path: string;
}

/** Files that the site's own processes have written since the kept releases were started first. */
export interface SiteWrites {
  /** Below the site's root. */
  site: ReadonlySet<string>;
  /** Into releases, which are never to be written again; by release. */
  releases: ReadonlyMap<string, readonly string[]>;
}

/** Where frameworks keep what they can make again, Nuxt Content its database: nobody misses it. */
const CACHES =
  /(^|\/)((\.next|\.cache|cache|\.vite|\.nitro|tmp)\/|contents\.sqlite(-(journal|wal|shm))?$)/;

export async function readSiteWrites(paths: SitePaths): Promise<SiteWrites> {
  const site = new Set<string>();
  const releases = new Map<string, string[]>();
  for (const id of await readdir(paths.releases).catch(() => [])) {
    for (const write of await readWrites(paths, id)) {
      if (write.in === 'site') site.add(write.path);
      else if (!CACHES.test(write.path)) {
        releases.set(id, [...(releases.get(id) ?? []), write.path]);
      }
    }
  }
  return { site, releases };
}

async function readWrites(paths: SitePaths, id: string): Promise<SiteWrite[]> {
  const text = await readFile(writesFile(paths, id), 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    try {
      const write = JSON.parse(line) as Partial<SiteWrite>;
      return typeof write.path === 'string' ? [write as SiteWrite] : [];
    } catch {
      // Two processes append; the last line may be half there.
      return [];
    }
  });
}

/**
 * Tells how a file that the site writes into its release outlives that.
 *
 * @param entry the server's, whose folder comes with each build and cannot be shared
 */
export function howToShare(file: string, entry: string): string {
  const folder = dirname(file);
  return folder === '.' || `${dirname(parseEntry(entry).path)}/`.startsWith(`${folder}/`)
    ? 'write it into a folder that is named in "shared"'
    : `name its folder in "shared" (shared: ['${plainText(folder)}'])`;
}
