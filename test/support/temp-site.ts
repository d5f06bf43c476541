import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type SitePaths, sitePaths } from '../../src/slots/paths.ts';
import { completeRelease, createPartial, type Release } from '../../src/slots/release.ts';
import { tempFolder } from './temp-folder.ts';

/** A new site with these files (path below its root → content) and nothing in `slots/` yet. */
export async function tempSite(files: Record<string, string> = {}): Promise<SitePaths> {
  const paths = sitePaths(await tempFolder());
  for (const [path, content] of Object.entries(files)) await putFile(paths.root, path, content);
  return paths;
}

/** Writes a file and makes the folders above it. */
export async function putFile(root: string, path: string, content: string): Promise<void> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

/** An id of the given number: a higher one is a newer release. */
export function releaseIdOf(number: number): string {
  return `r20260101T${String(number).padStart(6, '0')}-abcdef`;
}

/** Makes a complete release on disk whose entry holds its id. */
export async function putRelease(
  paths: SitePaths,
  id: string,
  changes: Partial<Release> = {},
): Promise<Release> {
  const dir = await createPartial(paths, id);
  await writeFile(join(dir, 'dist/server.mjs'), id);
  const release: Release = {
    id,
    createdAt: '2026-01-01T00:00:00.000Z',
    trigger: 'edit',
    changed: [],
    commit: null,
    buildMs: 10,
    sourceHash: 'abcdef'.padEnd(64, '0'),
    entry: 'server.mjs',
    unsettled: false,
    ...changes,
  };
  await completeRelease(paths, release);
  return release;
}
