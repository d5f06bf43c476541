import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { SlotsError } from '../errors.ts';
import { clientFolderSchema } from './client-folder.ts';
import { readHistory } from './history.ts';
import { releaseDir, type SitePaths } from './paths.ts';
import { RELEASE_ID } from './release-id.ts';
import { EMPTY_STATE, readState } from './state.ts';
import { triggerSchema } from './trigger.ts';

const PARTIAL = '.partial';

export const releaseSchema = z.object({
  id: z.string().regex(RELEASE_ID),
  /** ISO 8601, UTC. */
  createdAt: z.string(),
  /** The reason for the build. */
  trigger: triggerSchema,
  /** Watched files whose change led to this release, relative to the site; empty when unknown. */
  changed: z.array(z.string()),
  /** The commit that was checked out, or `null` outside git. */
  commit: z.string().nullable(),
  buildMs: z.number(),
  sourceHash: z.string(),
  /** The source hash after the build, where the build writes watched files itself; that is no edit. */
  sourceHashAfter: z.string().optional(),
  /** Hashes of later sources of which a build wrote the same, and nobody could see that they are others; the last ones. */
  alsoFrom: z.array(z.string()).optional(),
  /** The server's entry, relative to `dist`. */
  entry: z.string(),
  /** Of a static site: the page for paths without a file of their own, relative to the folder that is served. */
  fallback: z.string().optional(),
  /** Folders below `dist` whose files visitors get as they are, and where. */
  client: z.array(clientFolderSchema).optional(),
  /** How much is in `dist`, without what it links to, and how much was in the watched files. In bytes. */
  size: z.object({ release: z.number(), source: z.number() }).optional(),
  /** Its own dependencies, `slots/deps/<this>`; without it the release uses the site's. */
  deps: z.string().optional(),
  /** Watched files changed while the build read them, so that the hash may not tell what is inside. */
  unsettled: z.boolean(),
});

export type Release = z.output<typeof releaseSchema>;

export function releaseId(createdAt: Date, sourceHash: string): string {
  const stamp = createdAt.toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  return `r${stamp}-${sourceHash.slice(0, 6)}`;
}

/**
 * An id for a release that is built now. It is later than every other one's, by a second at least: ids tell
 * which release is the newest, even if two were built within a second or the clock was set back. Slots and history
 * count as well as the folder: a release that somebody has deleted may still serve.
 */
export async function freeReleaseId(
  paths: SitePaths,
  sourceHash: string,
  now: Date,
): Promise<string> {
  const [stored, history, { slots }] = await Promise.all([
    readdir(paths.releases).catch(() => []),
    readHistory(paths).catch(() => []),
    readState(paths).catch(() => EMPTY_STATE),
  ]);
  const named = [...history, slots.blue, slots.green].map(({ release }) => release);
  const names = [...stored, ...named];
  const times = names.map(timeOf).filter((time) => !Number.isNaN(time));
  const earliest = times.reduce((latest, time) => Math.max(latest, time + 1000), 0);
  return releaseId(new Date(Math.max(now.getTime(), earliest)), sourceHash);
}

/** The time in an id or in a partial's name; `NaN` for another name. */
function timeOf(name: string | null): number {
  const found = /^r(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)-/.exec(name ?? '');
  if (!found) return Number.NaN;
  const [, year, month, day, hour, minute, second] = found;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** Where a release is built; nothing else ever looks in there. */
export function partialDir(paths: SitePaths, id: string): string {
  return releaseDir(paths, id) + PARTIAL;
}

export async function createPartial(paths: SitePaths, id: string): Promise<string> {
  const dir = partialDir(paths, id);
  await mkdir(join(dir, 'dist'), { recursive: true });
  return dir;
}

/** Turns a finished partial into a release, in one rename. */
export async function completeRelease(paths: SitePaths, release: Release): Promise<void> {
  const dir = partialDir(paths, release.id);
  await writeRelease(dir, release);
  await rename(dir, releaseDir(paths, release.id));
}

export async function deletePartial(paths: SitePaths, id: string): Promise<void> {
  // A build that is being ended may still write while its folder is removed (ENOTEMPTY).
  await rm(partialDir(paths, id), { recursive: true, force: true, maxRetries: 10 });
}

export async function listPartials(paths: SitePaths): Promise<string[]> {
  const names = await readdir(paths.releases).catch(() => []);
  return names
    .filter((name) => name.endsWith(PARTIAL))
    .map((name) => name.slice(0, -PARTIAL.length));
}

/** @throws SlotsError `RELEASE_UNKNOWN` when there is no complete release of this id. */
export async function readRelease(paths: SitePaths, id: string): Promise<Release> {
  if (!RELEASE_ID.test(id)) {
    throw new SlotsError('RELEASE_UNKNOWN', `"${id}" is not a release id`, {
      hint: 'a release id looks like r20260131T120000-1a2b3c; `slots releases` lists those kept',
    });
  }
  const file = join(releaseDir(paths, id), 'release.json');
  try {
    return releaseSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new SlotsError('RELEASE_UNKNOWN', `there is no release ${id}`, {
      hint: '`slots releases` lists those kept',
      cause,
    });
  }
}

/** More are not kept: a source that comes back after so many others is built once more. */
const MAX_ALSO_FROM = 50;

/** A later source builds the same output: it is this release's too. */
export async function addSource(paths: SitePaths, id: string, hashes: string[]): Promise<void> {
  const release = await readRelease(paths, id);
  const alsoFrom = [...new Set([...(release.alsoFrom ?? []), ...hashes])].slice(-MAX_ALSO_FROM);
  await writeRelease(releaseDir(paths, id), { ...release, alsoFrom });
}

async function writeRelease(dir: string, release: Release): Promise<void> {
  await writeFileAtomic(join(dir, 'release.json'), `${JSON.stringify(release, null, 2)}\n`);
}

/** The hashes of all sources that this release is known to be built from. */
export function sourcesOf(
  release: Pick<Release, 'sourceHash' | 'sourceHashAfter' | 'alsoFrom'>,
): string[] {
  const { sourceHash, sourceHashAfter, alsoFrom = [] } = release;
  return [sourceHash, ...(sourceHashAfter === undefined ? [] : [sourceHashAfter]), ...alsoFrom];
}

/** Every complete release, newest first. */
export async function listReleases(paths: SitePaths): Promise<Release[]> {
  const names = await readdir(paths.releases).catch(() => []);
  const ids = names.filter((name) => RELEASE_ID.test(name)).sort((a, b) => (a < b ? 1 : -1));
  const releases = await Promise.all(ids.map((id) => readRelease(paths, id).catch(() => null)));
  return releases.filter((release) => release !== null);
}

/** Which releases to delete: all but the `keep` newest and those in use. Ids sort by their time. */
export function releasesToPrune(
  ids: readonly string[],
  inUse: ReadonlySet<string>,
  keep: number,
): string[] {
  const newestFirst = [...ids].sort((a, b) => (a < b ? 1 : -1));
  return newestFirst.slice(keep).filter((id) => !inUse.has(id));
}

/** Half of a release must never look like a whole one, so it stops being one before its first file goes. */
export async function deleteRelease(paths: SitePaths, id: string): Promise<void> {
  await rename(releaseDir(paths, id), partialDir(paths, id)).catch(ignoreMissing);
  await deletePartial(paths, id);
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** The site's checked-out commit, or `null` where there is no git or no commit. */
export async function currentCommit(root: string): Promise<string | null> {
  const git = promisify(execFile)('git', ['rev-parse', 'HEAD'], { cwd: root });
  return git.then(({ stdout }) => stdout.trim() || null).catch(() => null);
}
