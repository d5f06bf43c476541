import { readFile } from 'node:fs/promises';
import { readsFile, type SitePaths } from './paths.ts';

/**
 * One line of what a process of a slot tells, see instance/record-reads.ts. Paths are absolute, as the site names them; `real`
 * is the file behind links, `null` where there was none, and left out where it is the same.
 */
export type SiteRead =
  /** This process tells what it reads. */
  | { pid: number }
  | { read: string; real?: string | null }
  /** A folder whose entries were asked for. */
  | { list: string; real?: string | null }
  /** Something that cannot be followed, in words. */
  | { unknown: string };

/** What the processes of a release have read outside of it. */
export interface SiteReads {
  /** The processes that tell. */
  pids: ReadonlySet<number>;
  files: ReadonlySet<string>;
  folders: ReadonlySet<string>;
  /** Why nobody knows all, or `null`. */
  unknown: string | null;
}

export async function readSiteReads(paths: SitePaths, id: string): Promise<SiteReads> {
  const text = await readFile(readsFile(paths, id), 'utf8').catch(() => '');
  const pids = new Set<number>();
  const files = new Set<string>();
  const folders = new Set<string>();
  let unknown: string | null = null;
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const read = parsed(line);
    if (read === null) unknown ??= 'a line of its record is broken';
    else if ('pid' in read) pids.add(read.pid);
    else if ('unknown' in read) unknown ??= read.unknown;
    else if ('list' in read) for (const path of both(read.list, read.real)) folders.add(path);
    else for (const path of both(read.read, read.real)) files.add(path);
  }
  return { pids, files, folders, unknown };
}

function both(asked: string, real: string | null | undefined): string[] {
  return real ? [asked, real] : [asked];
}

function parsed(line: string): SiteRead | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
