/** `slots/assets/index.jsonl`: the hashed files that are kept when their releases are gone. The controller writes it, workers read it. */
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

/** The first line. */
const headSchema = z.object({
  kind: z.literal(ASSETS_KIND),
  version: z.literal(1),
  releases: z.array(z.string().regex(RELEASE_ID)),
  /** How many lines follow. */
  files: z.int().min(0),
});

/** A file's line: the path of its URL comes first, so that a worker finds it without reading all others. */
const lineSchema = z.tuple([
  z.string().startsWith('/'),
  // It becomes part of a path.
  z.string().regex(/^[0-9a-f]{64}$/),
  z.int().min(0),
  z.number(),
  z.string().regex(RELEASE_ID),
  z.number(),
]);

/** @throws SyntaxError, ZodError or Error for what is no index, or not all of one */
export function parseIndex(text: string): AssetsIndex {
  const [first = '', ...lines] = text.trimEnd().split('\n');
  const head = headSchema.parse(JSON.parse(first));
  if (lines.length !== head.files)
    throw new Error(`${head.files} files are named in ${lines.length} lines`);
  const files = new Map<string, KeptFile>();
  const contents = new Map<string, KeptContent>();
  for (const line of lines) {
    const [path, digest, size, mtimeMs, release, liveAt] = lineSchema.parse(JSON.parse(line));
    files.set(path, { digest, release, liveAt });
    contents.set(digest, { size, mtimeMs });
  }
  return { releases: new Set(head.releases), files, contents };
}

export function formatIndex({ releases, files, contents }: AssetsIndex): string {
  const lines: unknown[] = [];
  for (const [path, { digest, release, liveAt }] of files) {
    const content = contents.get(digest);
    if (content) lines.push([path, digest, content.size, content.mtimeMs, release, liveAt]);
  }
  const head = { kind: ASSETS_KIND, version: 1, releases: [...releases], files: lines.length };
  return [head, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('');
}

/**
 * The file of one path in the bytes of an index; `null` where there is none. All of an index takes long to parse (20 000
 * files, some 100 ms), which a worker cannot spare.
 *
 * @throws SyntaxError or ZodError for a line that is none
 */
export function findInIndex(index: Buffer, path: string): (KeptFile & KeptContent) | null {
  const at = index.indexOf(`\n[${JSON.stringify(path)},`);
  if (at === -1) return null;
  const end = index.indexOf('\n', at + 1);
  const line = index.toString('utf8', at + 1, end === -1 ? undefined : end);
  const [, digest, size, mtimeMs, release, liveAt] = lineSchema.parse(JSON.parse(line));
  return { digest, size, mtimeMs, release, liveAt };
}

export function indexFile({ assets }: SitePaths): string {
  return join(assets, 'index.jsonl');
}

/** The folder of the files themselves, each by its digest: no name of a site's becomes part of a path here. */
export function filesFolder({ assets }: SitePaths): string {
  return join(assets, 'files');
}

export function keptFile(paths: SitePaths, digest: string): string {
  return join(filesFolder(paths), digest);
}
