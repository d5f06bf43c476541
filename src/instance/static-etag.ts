import { createHash } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** A larger file is not read for its tag: its first visitor would wait for seconds. In bytes. */
const LARGEST_HASHED = 256 * 1024 * 1024;

const PIECE_BYTES = 1024 * 1024;

/**
 * A strong validator (RFC 9110 §8.8.3) by a file's content, so that an edit elsewhere in the site does not change
 * it: a build writes each file anew.
 */
export async function contentTag(path: string, stats: Stats): Promise<string> {
  if (stats.size > LARGEST_HASHED) return stampTag(stats);
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: PIECE_BYTES }), hash);
  return `"${hash.digest('base64url').slice(0, 22)}"`;
}

/** By size and time, as nginx makes it. */
export function stampTag({ size, mtimeMs }: Stats): string {
  return `"${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}"`;
}
