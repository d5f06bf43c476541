import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import {
  type AssetsIndex,
  EMPTY_INDEX,
  indexFile,
  type KeptContent,
  type KeptFile,
  keptFile,
  parseIndex,
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
        const { files, contents } = current();
        const file = files.get(path);
        const content = file && contents.get(file.digest);
        if (!file || !content) return null;
        const fd = openWhole(keptFile(paths, file.digest), content);
        return fd === null ? null : { ...file, size: content.size, fd, path };
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

/** @returns `null` for a file that has been changed since */
function openWhole(path: string, { size, mtimeMs }: KeptContent): number | null {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const stats = fstatSync(fd);
  if (stats.isFile() && stats.size === size && stats.mtimeMs === mtimeMs) return fd;
  closeSync(fd);
  return null;
}
