/** `slots/assets/index.json`: the hashed files that are kept when their releases are gone. The controller writes it, workers read it. */
import { join } from 'node:path';
import { z } from 'zod';
import type { SitePaths } from './paths.ts';
import { RELEASE_ID } from './release-id.ts';

/** Tells a copy of the folder, under whatever name, from a site's own. */
export const ASSETS_KIND = 'slots-assets';

export interface KeptFile {
  /** SHA-256 of its bytes, in hex: its name in `slots/assets/files`. */
  digest: string;
  /** In bytes. */
  size: number;
  /** The newest release that had it. */
  release: string;
  /** When a release that has it was last in a slot, in milliseconds since 1970. */
  liveAt: number;
}

export interface AssetsIndex {
  /** Kept releases whose files are all in here. */
  releases: readonly string[];
  /** By the decoded path of their URL. */
  files: ReadonlyMap<string, KeptFile>;
}

export const EMPTY_INDEX: AssetsIndex = { releases: [], files: new Map() };

const indexSchema = z.object({
  kind: z.literal(ASSETS_KIND),
  version: z.literal(1),
  releases: z.array(z.string().regex(RELEASE_ID)),
  files: z.record(
    z.string().startsWith('/'),
    z.tuple([
      // It becomes part of a path.
      z.string().regex(/^[0-9a-f]{64}$/),
      z.int().min(0),
      z.string().regex(RELEASE_ID),
      z.number(),
    ]),
  ),
});

/** @throws SyntaxError or ZodError for what is no index */
export function parseIndex(text: string): AssetsIndex {
  const { releases, files } = indexSchema.parse(JSON.parse(text));
  const entries = Object.entries(files).map(([path, [digest, size, release, liveAt]]) => {
    return [path, { digest, size, release, liveAt }] as const;
  });
  return { releases, files: new Map(entries) };
}

export function formatIndex({ releases, files }: AssetsIndex): string {
  const entries = [...files].map(([path, { digest, size, release, liveAt }]) => {
    return [path, [digest, size, release, liveAt]] as const;
  });
  const index = { kind: ASSETS_KIND, version: 1, releases, files: Object.fromEntries(entries) };
  return `${JSON.stringify(index)}\n`;
}

export function indexFile({ assets }: SitePaths): string {
  return join(assets, 'index.json');
}

/** The folder of the files themselves, each by its digest: no name of a site's becomes part of a path here. */
export function filesFolder({ assets }: SitePaths): string {
  return join(assets, 'files');
}

export function keptFile(paths: SitePaths, digest: string): string {
  return join(filesFolder(paths), digest);
}
