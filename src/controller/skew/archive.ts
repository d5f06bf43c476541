import { mkdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import PQueue from 'p-queue';
import type { Config } from '../../config/schema.ts';
import { messageOf } from '../../errors.ts';
import {
  type AssetsIndex,
  EMPTY_INDEX,
  filesFolder,
  indexFile,
  type KeptContent,
  type KeptFile,
} from '../../slots/assets-index.ts';
import { releaseDir, type SitePaths } from '../../slots/paths.ts';
import { listReleases, type Release } from '../../slots/release.ts';
import { SLOTS } from '../../slots/slot.ts';
import type { State } from '../../slots/state.ts';
import { presentFolders } from '../build/client-folders.ts';
import type { Logger } from '../log.ts';
import { keepFile } from './keep-file.ts';
import { budget, bytesOf, type Live, prune } from './prune.ts';
import { releaseFiles } from './release-files.ts';
import { readArchive, writeArchive } from './stored-index.ts';

/** How often old files are looked for where nothing is promoted, in milliseconds. */
const TIDY_INTERVAL_MS = 6 * 60 * 60 * 1000;

/** No more files go in after one of these: each would fail the same way. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO']);

/**
 * Hashed files of releases, kept for tabs that are older than the active release. It works by itself, one job after the
 * other: no promotion waits for it, and whatever goes wrong costs only the archive.
 */
export interface Archive {
  /** Takes up what is on the disk, mends it, and keeps the files of releases that are not in it yet. */
  start(): void;
  /** Keeps the files of a release that is complete. */
  add(release: Release): void;
  /** Lets go what is too old or too much. */
  tidy(): void;
  /** `null` where nothing is kept. */
  size(): { files: number; bytes: number } | null;
  /** Resolves when all that has been asked for is done. */
  idle(): Promise<void>;
}

export interface ArchiveParts {
  config: Pick<Config, 'skew' | 'client'>;
  paths: SitePaths;
  store: { readonly state: State };
  log: Logger;
}

export function createArchive({ config, paths, store, log }: ArchiveParts): Archive {
  const { skew } = config;
  const jobs = new PQueue({ concurrency: 1 });
  let index: AssetsIndex = EMPTY_INDEX;

  const run = (job: () => Promise<void>) => {
    void jobs.add(() => job().catch(tellFailure));
  };

  /** Somebody may have wiped the folder since. */
  const isGone = async () =>
    index.files.size > 0 && (await stat(indexFile(paths)).catch(() => null)) === null;

  function tellFailure(error: unknown): void {
    const what = `slots/assets cannot be written: ${messageOf(error)}; tabs of older releases may miss files`;
    log.error({ event: 'assets.failed', error: messageOf(error) }, what);
  }

  const filesOf = async ({ id, client }: Release) => {
    const dist = join(releaseDir(paths, id), 'dist');
    return releaseFiles(paths, id, client ?? (await presentFolders(config.client, dist)));
  };

  async function takeUp(limits: Limits): Promise<void> {
    const found = await readArchive(paths, new Date());
    index = found.index;
    const missing = (await listReleases(paths)).filter(({ id }) => !index.releases.has(id));
    const before = index.files.size;
    for (const release of missing.reverse()) await keep(release);
    await shrink(limits);
    const back = index.files.size - before;
    if (found.damage.length === 0 && back <= 0) return;
    const from = missing.map(({ id }) => id);
    const why = found.damage.join('; ') || 'slots/assets knew nothing of some kept releases';
    const what = `${why}: ${Math.max(0, back)} files were taken from ${from.length} kept releases`;
    const level = found.damage.length > 0 ? 'warn' : 'info';
    log[level]({ event: 'assets.rebuilt', damage: found.damage, releases: from }, what);
  }

  async function keep(release: Release): Promise<void> {
    const { id } = release;
    const files = new Map<string, KeptFile>(index.files);
    const contents = new Map<string, KeptContent>(index.contents);
    const all = await filesOf(release);
    await mkdir(filesFolder(paths), { recursive: true });
    let failure: unknown = null;
    let done = 0;
    for (const [path, file] of all) {
      try {
        const { digest, size, mtimeMs } = await keepFile(paths, file, contents);
        contents.set(digest, { size, mtimeMs });
        const newer = files.get(path);
        if (newer === undefined || newer.release <= id) {
          files.set(path, { digest, release: id, liveAt: Date.now() });
        }
        done++;
      } catch (error) {
        failure ??= error;
        if (FULL.has((error as NodeJS.ErrnoException).code ?? '')) break;
      }
    }
    const releases = failure === null ? new Set([...index.releases, id]) : index.releases;
    index = { releases, files, contents };
    if (failure === null) return;
    const what = `${all.size - done} of the ${all.size} files of ${id} are not kept for open tabs: ${messageOf(failure)}`;
    log.error({ event: 'assets.failed', release: id, error: messageOf(failure) }, what);
  }

  async function shrink({ days, maxBytes }: Limits): Promise<void> {
    await mkdir(filesFolder(paths), { recursive: true });
    const kept = await listReleases(paths);
    const ids = new Set(kept.map(({ id }) => id));
    const has = bytesOf(index);
    const room = await roomFor(kept[0]);
    const bytes = room === null ? maxBytes : budget(maxBytes, { has, ...room });
    const live = await liveFiles(kept);
    const next = prune(index, live, { days, maxBytes: bytes }, Date.now());
    const gone = index.files.size - next.files.size;
    index = { ...next, releases: new Set([...index.releases].filter((id) => ids.has(id))) };
    await writeArchive(paths, index);
    if (gone === 0) return;
    const freed = has - bytesOf(index);
    const what = `${gone} files of older releases are kept no longer`;
    log.info({ event: 'assets.pruned', files: gone, bytes: freed }, what);
  }

  async function liveFiles(kept: readonly Release[]): Promise<Live> {
    const { slots, promotion } = store.state;
    const ids = [...SLOTS.map((slot) => slots[slot].release), promotion?.release ?? null];
    const releases = new Set(ids.filter((id) => id !== null));
    const live = new Set<string>();
    for (const release of kept) {
      if (!releases.has(release.id)) continue;
      for (const path of (await filesOf(release).catch(() => new Map())).keys()) live.add(path);
    }
    return { paths: live, releases };
  }

  /** A disk that is short of room for the next release gets some from here; elsewhere the archive is in nobody's way. */
  async function roomFor(newest: Release | undefined) {
    if (newest?.size === undefined) return null;
    const [own, releases] = await Promise.all([stat(filesFolder(paths)), stat(paths.releases)]);
    if (own.dev !== releases.dev) return null;
    const { bavail, bsize } = await statfs(paths.releases);
    return { free: bavail * bsize, needed: newest.size.release };
  }

  if (skew === false) {
    return { ...NOTHING, start: () => run(() => turnOff(paths, log)), idle: () => jobs.onIdle() };
  }
  return {
    start() {
      run(() => takeUp(skew));
      setInterval(this.tidy, TIDY_INTERVAL_MS).unref();
    },
    add: (release) =>
      run(async () => {
        if (await isGone()) await takeUp(skew);
        const before = index.contents.size;
        await keep(release);
        const added = index.contents.size - before;
        await shrink(skew);
        if (!index.releases.has(release.id)) return;
        const what = `${added} hashed files of ${release.id} are new among those kept for open tabs`;
        log.info({ event: 'assets.kept', release: release.id, added }, what);
      }),
    tidy: () => run(async () => ((await isGone()) ? takeUp(skew) : shrink(skew))),
    size: () => ({ files: index.files.size, bytes: bytesOf(index) }),
    idle: () => jobs.onIdle(),
  };
}

type Limits = Exclude<Config['skew'], false>;

const NOTHING = { add: () => {}, tidy: () => {}, size: () => null };

/** A site that keeps no files any more has none from before. */
async function turnOff(paths: SitePaths, log: Logger): Promise<void> {
  if ((await stat(paths.assets).catch(() => null)) === null) return;
  await rm(paths.assets, { recursive: true, force: true });
  log.info({ event: 'assets.removed' }, 'removed slots/assets, since "skew" is false');
}
