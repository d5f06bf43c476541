import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The part of release.json that says how a release is served; see slots/release.ts. */
export interface ReleaseEntry {
  entry: string;
  fallback: string | undefined;
}

/**
 * How a release is served, from its release.json. Only these fields are looked at: the schema of the rest
 * (slots/release.ts) brings zod, 8 MiB of each process of a site.
 *
 * @param dir the release's folder
 * @throws when the file cannot be read or names no entry
 */
export function releaseEntry(dir: string): ReleaseEntry {
  const file = join(dir, 'release.json');
  const { entry, fallback } = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof entry !== 'string') throw new Error(`${file} names no entry`);
  return { entry, fallback };
}
