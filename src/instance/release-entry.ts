import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The entry that a release was built with, from its release.json. Only this field is looked at: the schema of the
 * rest (slots/release.ts) brings zod: 8 MiB of each process of a site.
 *
 * @param dir the release's folder
 * @throws when the file cannot be read or names no entry
 */
export function releaseEntry(dir: string): string {
  const file = join(dir, 'release.json');
  const { entry } = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof entry !== 'string') throw new Error(`${file} names no entry`);
  return entry;
}
