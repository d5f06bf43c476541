/** `slots/assets` as the controller leaves it, made by hand. */
import { createHash } from 'node:crypto';
import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import {
  type AssetsIndex,
  filesFolder,
  formatIndex,
  indexFile,
  type KeptContent,
  type KeptFile,
  keptFile,
} from '../../src/slots/assets-index.ts';
import type { SitePaths } from '../../src/slots/paths.ts';
import { releaseIdOf } from './temp-site.ts';

export function digestOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Keeps these files, by their URLs' decoded paths; whatever was kept before is forgotten. */
export async function putKeptFiles(
  paths: SitePaths,
  byPath: Record<string, string | Buffer>,
  release = releaseIdOf(1),
): Promise<AssetsIndex> {
  await mkdir(filesFolder(paths), { recursive: true });
  const files = new Map<string, KeptFile>();
  const contents = new Map<string, KeptContent>();
  for (const [path, content] of Object.entries(byPath)) {
    const digest = digestOf(content);
    await writeFile(keptFile(paths, digest), content);
    const { size, mtimeMs } = await stat(keptFile(paths, digest));
    contents.set(digest, { size, mtimeMs });
    files.set(path, { digest, release, liveAt: 0 });
  }
  const index = { releases: new Set<string>(), files, contents };
  await writeFile(`${indexFile(paths)}.new`, formatIndex(index));
  await rename(`${indexFile(paths)}.new`, indexFile(paths));
  return index;
}
