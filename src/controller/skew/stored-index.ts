/** The archive's index on the disk, and what the files beside it are like. */
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { messageOf } from '../../errors.ts';
import {
  type AssetsIndex,
  EMPTY_INDEX,
  filesFolder,
  formatIndex,
  indexFile,
  type KeptContent,
  keptFile,
  parseIndex,
} from '../../slots/assets-index.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { setAside } from '../../slots/set-aside.ts';
import { intact } from './keep-file.ts';

export interface Found {
  index: AssetsIndex;
  /** What is wrong with the archive, in one line each. */
  damage: string[];
}

/** Reads the archive as it is, without what has been lost of it. A file that stands in the folder's place is set aside. */
export async function readArchive(paths: SitePaths, now: Date): Promise<Found> {
  const folder = await stat(paths.assets).catch(() => null);
  if (folder === null) return { index: EMPTY_INDEX, damage: [] };
  if (!folder.isDirectory()) {
    const aside = await setAside(paths.assets, now);
    return { index: EMPTY_INDEX, damage: [`slots/assets was no folder; it is now ${aside}`] };
  }
  let stored: AssetsIndex;
  try {
    stored = parseIndex(await readFile(indexFile(paths), 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT' ? 'is not there' : `cannot be read: ${messageOf(error).split('\n')[0]}`;
    return { index: EMPTY_INDEX, damage: [`slots/assets/index.jsonl ${why}`] };
  }
  const contents = new Map<string, KeptContent>();
  for (const [digest, known] of stored.contents) {
    const content = await intact(keptFile(paths, digest), digest, known);
    if (content !== null) contents.set(digest, content);
  }
  const files = new Map([...stored.files].filter(([, { digest }]) => contents.has(digest)));
  const lost = stored.files.size - files.size;
  if (lost === 0) return { index: { ...stored, contents }, damage: [] };
  // Which of the releases had them nobody knows.
  const index = { releases: new Set<string>(), files, contents };
  return { index, damage: [`${lost} of the ${stored.files.size} files in slots/assets are lost`] };
}

/**
 * Writes the index, and removes the files that are not in it any more.
 *
 * @throws Error of the system
 */
export async function writeArchive(paths: SitePaths, index: AssetsIndex): Promise<void> {
  await mkdir(filesFolder(paths), { recursive: true });
  await writeFileAtomic(indexFile(paths), formatIndex(index));
  for (const name of await readdir(filesFolder(paths))) {
    if (!index.contents.has(name)) await rm(join(filesFolder(paths), name), { recursive: true });
  }
}
