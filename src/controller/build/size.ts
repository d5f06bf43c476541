import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** In bytes. */
export interface ReleaseSize {
  /** In `dist`, without what it links to. */
  release: number;
  /** In the watched files that it was built from. */
  source: number;
}

/** Growth below this is of no concern, in bytes. */
const LITTLE = 10 * 1024 * 1024;

/** A release may grow by so many times what its source grew: pictures are made in several sizes. */
const TIMES_SOURCE = 5;

/** And by this part of itself without anybody having added anything: a framework's update. */
const PART = 0.25;

export async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await sizeOf(path);
    else if (entry.isFile()) bytes += (await lstat(path).catch(() => null))?.size ?? 0;
  }
  return bytes;
}

/** Complains of a release that has grown without its source, or `null`. */
export function growthComplaint(before: ReleaseSize, now: ReleaseSize): string | null {
  const grown = now.release - before.release;
  const added = Math.max(0, now.source - before.source);
  if (grown < LITTLE || grown < before.release * PART || grown < added * TIMES_SOURCE) return null;
  return `the release holds ${megabytes(now.release)}, and the one before it ${megabytes(before.release)}, though the watched files grew by ${megabytes(added)} only: see what the build puts into its output`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(bytes < LITTLE ? 1 : 0)} MiB`;
}
