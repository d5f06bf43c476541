/** `slots/assets/index.json`: the hashed files that are kept when their releases are gone. The controller writes it, workers read it. */
import { join } from 'node:path';
import { z } from 'zod';
import type { SitePaths } from './paths.ts';
import { RELEASE_ID } from './release-id.ts';

/** Tells a copy of the folder, under whatever name, from a site's own. */
export const ASSETS_KIND = 'slots-assets';

/** One content, however many names it has had. */
export interface KeptContent {
  /** In bytes. */
  size: number;
  /** When the file was changed last, in milliseconds since 1970: one that has been changed since is not what was kept. */
  mtimeMs: number;
}

export interface KeptFile {
  /** SHA-256 of its bytes, in hex: its name in `slots/assets/files`. */
  digest: string;
  /** The newest release that had it. */
  release: string;
  /** When a release that has it was last in a slot, in milliseconds since 1970. */
  liveAt: number;
}

export interface AssetsIndex {
  /** Kept releases whose files are all in here. */
  releases: ReadonlySet<string>;
  /** By the decoded path of their URL. */
  files: ReadonlyMap<string, KeptFile>;
  /** By digest: one for each that a file has. */
  contents: ReadonlyMap<string, KeptContent>;
}

export const EMPTY_INDEX: AssetsIndex = {
  releases: new Set(),
  files: new Map(),
  contents: new Map(),
};

/** It becomes part of a path. */
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const release = z.string().regex(RELEASE_ID);

const indexSchema = z.object({
  kind: z.literal(ASSETS_KIND),
  version: z.literal(1),
  releases: z.array(release),
  files: z.record(z.string().startsWith('/'), z.tuple([digest, release, z.number()])),
  contents: z.record(digest, z.tuple([z.int().min(0), z.number()])),
});

/** @throws SyntaxError or ZodError for what is no index */
export function parseIndex(text: string): AssetsIndex {
  const { releases, files, contents } = indexSchema.parse(JSON.parse(text));
  return {
    releases: new Set(releases),
    files: mapOf(files, ([digest, release, liveAt]) => ({ digest, release, liveAt })),
    contents: mapOf(contents, ([size, mtimeMs]) => ({ size, mtimeMs })),
  };
}

export function formatIndex({ releases, files, contents }: AssetsIndex): string {
  const index = {
    kind: ASSETS_KIND,
    version: 1,
    releases: [...releases],
    files: recordOf(files, ({ digest, release, liveAt }) => [digest, release, liveAt]),
    contents: recordOf(contents, ({ size, mtimeMs }) => [size, mtimeMs]),
  };
  return `${JSON.stringify(index)}\n`;
}

function mapOf<T, U>(record: Record<string, T>, to: (value: T) => U): Map<string, U> {
  return new Map(Object.entries(record).map(([key, value]) => [key, to(value)]));
}

function recordOf<T, U>(map: ReadonlyMap<string, T>, to: (value: T) => U): Record<string, U> {
  return Object.fromEntries([...map].map(([key, value]) => [key, to(value)]));
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
