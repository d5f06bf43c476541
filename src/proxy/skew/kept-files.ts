import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import {
  type AssetsIndex,
  EMPTY_INDEX,
  indexFile,
  type KeptFile,
  keptFile,
  parseIndex,
} from '../../slots/assets-index.ts';
import { keptPath } from '../../slots/assets-names.ts';
import type { SitePaths } from '../../slots/paths.ts';

/** A file of an earlier release, open for reading. */
export interface OpenFile extends KeptFile {
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

/** Looks into `slots/assets`, whose index is read when it is first needed, and again when it has been written anew. */
export function openKeptFiles(paths: SitePaths): KeptFiles {
  let stamp = '';
  let index: AssetsIndex = EMPTY_INDEX;

  const current = (): AssetsIndex => {
    const file = indexFile(paths);
    const stats = statSync(file, { throwIfNoEntry: false });
    const found = stats ? `${stats.ino} ${stats.size} ${stats.mtimeMs}` : '';
    if (found === stamp) return index;
    index = found === '' ? EMPTY_INDEX : readIndex(file);
    stamp = found;
    return index;
  };

  return {
    open(target) {
      const path = keptPath(target);
      if (path === null) return null;
      try {
        const file = current().files.get(path);
        const fd = file === undefined ? null : openWhole(keptFile(paths, file.digest), file.size);
        return file === undefined || fd === null ? null : { ...file, fd, path };
      } catch {
        // The site's own 404 is the answer.
        return null;
      }
    },
  };
}

/** The controller says what is wrong with one that cannot be read, and makes it anew. */
function readIndex(file: string): AssetsIndex {
  try {
    return parseIndex(readFileSync(file, 'utf8'));
  } catch {
    return EMPTY_INDEX;
  }
}

/** @returns `null` for what is no file of this size any more */
function openWhole(path: string, size: number): number | null {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const stats = fstatSync(fd);
  if (stats.isFile() && stats.size === size) return fd;
  closeSync(fd);
  return null;
}
