import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import {
  findInIndex,
  indexFile,
  type KeptContent,
  type KeptFile,
  keptFile,
} from '../../slots/assets-index.ts';
import { keptPath } from '../../slots/assets-names.ts';
import type { SitePaths } from '../../slots/paths.ts';

/** A file of an earlier release, open for reading. */
export interface OpenFile extends KeptFile {
  /** In bytes. */
  size: number;
  /** Closed by whoever has it. */
  fd: number;
  /** Of its URL, decoded. */
  path: string;
}

export interface KeptFiles {
  /**
   * The file that an earlier release had under this URL, or `null`. Reads the disk at once, which a request for a
   * hashed name that is not there can bear, and no other request comes here.
   *
   * @param target of the request, in origin form
   */
  open(target: string): OpenFile | null;
}

const NOTHING = Buffer.alloc(0);

/** Looks into `slots/assets`, whose index is read when it is first needed, and again when it has been written anew. */
export function openKeptFiles(paths: SitePaths): KeptFiles {
  let stamp = '';
  let index: Buffer = NOTHING;

  const current = (): Buffer => {
    const file = indexFile(paths);
    const stats = statSync(file, { throwIfNoEntry: false });
    const found = stats ? `${stats.ino} ${stats.size} ${stats.mtimeMs}` : '';
    if (found === stamp) return index;
    index = found === '' ? NOTHING : readFileSync(file);
    stamp = found;
    return index;
  };

  return {
    open(target) {
      const path = keptPath(target);
      if (path === null) return null;
      try {
        const file = findInIndex(current(), path);
        const fd = file && openWhole(keptFile(paths, file.digest), file);
        return fd === null ? null : { ...(file as KeptFile & KeptContent), fd, path };
      } catch {
        // The site's own 404 is the answer; the controller mends the archive at its start.
        return null;
      }
    },
  };
}

/** @returns `null` for a file that has been changed since */
function openWhole(path: string, { size, mtimeMs }: KeptContent): number | null {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const stats = fstatSync(fd);
  if (stats.isFile() && stats.size === size && stats.mtimeMs === mtimeMs) return fd;
  closeSync(fd);
  return null;
}
