import { mkdir, open, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Extract } from 'tar-stream';
import type { Release } from '../release.ts';
import { type Entry, judgeEntry } from './entry.ts';
import type { Manifest } from './manifest.ts';
import { bad } from './refusals.ts';
import { parsePackedRelease, sha256 } from './release-json.ts';

type TarEntry = Extract extends AsyncIterable<infer Source> ? Source : never;

/** What is on the disk of an archive, whole and checked. */
export interface Written {
  release: Release;
  /** Absolute paths, to be synced. */
  files: string[];
  folders: string[];
  /** Folders of the site that it links to, relative to its root. */
  shared: Set<string>;
}

/**
 * Writes the entries of an archive into a new folder.
 *
 * @throws SlotsError `ARCHIVE_BAD`
 */
export async function writeEntries(
  dir: string,
  manifest: Manifest,
  tar: Extract,
  shared: readonly string[],
): Promise<Written> {
  const seen = new Map<string, Entry['kind']>();
  const files: string[] = [];
  const folders: string[] = [];
  const linked = new Set<string>();
  let release: Release | null = null;
  for await (const source of tar) {
    const { name } = source.header;
    const entry = judgeEntry(source.header, { seen, shared });
    if (typeof entry === 'string')
      throw bad(manifest, `has ${JSON.stringify(name)}, which ${entry}`);
    if (seen.size === manifest.entries) throw bad(manifest, `has more than ${seen.size} entries`);
    if (!release && entry.path !== 'release.json')
      throw bad(manifest, 'begins with no release.json');
    seen.set(entry.path, entry.kind);
    const path = join(dir, entry.path);
    if (entry.kind === 'file') {
      await writeFile(path, entry.executable, source, release);
      files.push(path);
      release ??= await readPacked(path, manifest);
    } else {
      await (entry.kind === 'folder' ? mkdir(path) : symlink(entry.target, path));
      if (entry.kind === 'folder') folders.push(path);
      if (entry.kind === 'link' && entry.shared) linked.add(entry.shared);
      source.resume();
    }
  }
  if (seen.size !== manifest.entries || !release) {
    throw bad(manifest, `has ${seen.size} entries and not ${manifest.entries}`);
  }
  if (seen.get('dist') !== 'folder') throw bad(manifest, 'has no dist');
  return { release, files, folders, shared: linked };
}

/** Opened by `wx`: where a file system takes two names for one (case, Unicode), the second one fails. */
async function writeFile(
  path: string,
  executable: boolean,
  source: TarEntry,
  release: Release | null,
): Promise<void> {
  const handle = await open(path, 'wx', executable ? 0o755 : 0o644);
  try {
    for await (const chunk of source) await handle.writeFile(chunk as Uint8Array);
    // Visitors see it as Last-Modified, which must not be one time for all releases.
    const at = release && new Date(release.createdAt);
    if (at) await handle.utimes(at, at);
  } finally {
    await handle.close();
  }
}

async function readPacked(path: string, manifest: Manifest): Promise<Release> {
  const text = await readFile(path, 'utf8');
  if (sha256(text) !== manifest.releaseSha256) throw bad(manifest, 'has another release.json');
  const release = parsePackedRelease(text);
  if (release?.id === manifest.id && (release.deps ?? null) === manifest.deps) return release;
  throw bad(manifest, 'has a release.json that this version does not understand');
}
