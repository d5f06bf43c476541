import { createHash, randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { copyFile, type FileHandle, link, lstat, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { filesFolder, type KeptContent, keptFile } from '../../slots/assets-index.ts';
import type { SitePaths } from '../../slots/paths.ts';

/** Refusals of a hard link after which a copy may do: another file system, one without links, too many of them. */
const COPY_INSTEAD = new Set([
  'EXDEV',
  'EPERM',
  'EACCES',
  'EMLINK',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
]);

const PIECE_BYTES = 256 * 1024;

/** In front of the name of a file that is being put there. */
const ASIDE = '.';

export interface Kept extends KeptContent {
  digest: string;
}

/**
 * Puts a file under its digest into the archive, which has each content once. A hard link takes no space for as long as the
 * release is there.
 *
 * @param contents those that are known to be there
 * @throws Error of the system
 */
export async function keepFile(
  paths: SitePaths,
  file: string,
  contents: ReadonlyMap<string, KeptContent>,
): Promise<Kept> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new Error(`${file} is no file`);
    const digest = await digestOf(handle);
    const target = keptFile(paths, digest);
    const there = await intact(target, digest, contents.get(digest));
    if (there !== null) return { digest, ...there };
    const { size, mtimeMs } = await place(paths, file, stats, target);
    return { digest, size, mtimeMs };
  } finally {
    await handle.close();
  }
}

/**
 * The kept file of a digest if it has still those bytes, else `null`.
 *
 * @param known of it; without it, or if it was changed since, the file is read
 */
export async function intact(
  path: string,
  digest: string,
  known: KeptContent | undefined,
): Promise<KeptContent | null> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch(() => null);
  if (handle === null) return null;
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || (known !== undefined && stats.size !== known.size)) return null;
    const isAsKnown = stats.mtimeMs === known?.mtimeMs;
    if (!isAsKnown && (await digestOf(handle)) !== digest) return null;
    return { size: stats.size, mtimeMs: stats.mtimeMs };
  } finally {
    await handle.close();
  }
}

async function digestOf(handle: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const bytes = Buffer.allocUnsafeSlow(PIECE_BYTES);
  for (let at = 0; ; ) {
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, at);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(bytes.subarray(0, bytesRead));
    at += bytesRead;
  }
}

async function place(
  paths: SitePaths,
  file: string,
  { dev, ino, size }: Stats,
  target: string,
): Promise<Stats> {
  const aside = join(filesFolder(paths), ASIDE + randomUUID());
  try {
    const isLink = await link(file, aside).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (!COPY_INSTEAD.has(error.code ?? '')) throw error;
        return false;
      },
    );
    if (!isLink) await copyFile(file, aside, constants.COPYFILE_FICLONE);
    const stats = await lstat(aside);
    const isSame = stats.isFile() && stats.size === size;
    // Between the reading and the link somebody may have put another file there.
    if (!isSame || (isLink && (stats.dev !== dev || stats.ino !== ino))) {
      throw new Error(`${file} was changed while it was read`);
    }
    await rename(aside, target);
    return stats;
  } finally {
    // A rename over a link to the same file does nothing.
    await rm(aside, { force: true }).catch(() => {});
  }
}
