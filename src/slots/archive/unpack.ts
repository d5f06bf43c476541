import { mkdir, open, rename, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ReadableStream } from 'node:stream/web';
import { constants, createZstdDecompress } from 'node:zlib';
import PQueue from 'p-queue';
import { extract } from 'tar-stream';
import { SlotsError } from '../../errors.ts';
import { linkDeps, listDeps } from '../deps.ts';
import { releaseDir, type SitePaths } from '../paths.ts';
import { deletePartial, partialDir, type Release, readRelease } from '../release.ts';
import { fits, type Machine } from './machine.ts';
import { ARCHIVE_LIMITS, type ArchiveLimits, type Manifest } from './manifest.ts';
import { type Meter, meter } from './meter.ts';
import { bad, broken, tooLarge } from './refusals.ts';
import { packedRelease, sha256 } from './release-json.ts';
import { type Written, writeEntries } from './write-entries.ts';

/** zstd may look back this far (2^23 bytes): an archive of ours needs 2 MiB, and a hostile one could ask for 128. */
const WINDOW_LOG_MAX = 23;

/** Files that are synced at a time: a disk takes many at once in the time of a few. */
const SYNCED_AT_ONCE = 16;

export interface UnpackOptions {
  machine: Machine;
  /** The `shared` folders of this machine's config: a release may link to these and to nothing else outside of it. */
  shared?: readonly string[];
  limits?: ArchiveLimits;
}

/**
 * Unpacks an archive into `releases/<id>.partial`, and makes it a release by a rename once its size and hash are right and
 * all of it is on the disk. A release that is here already is left as it is. When it fails nothing is left behind.
 *
 * @throws SlotsError `ARCHIVE_UNFIT` when this machine cannot run it, `ARCHIVE_TOO_LARGE`, `ARCHIVE_BAD` when its
 *   bytes are not what the manifest says or would write where no release does, `RELEASE_DIFFERS` when another release
 *   has its id
 */
export async function unpackRelease(
  paths: SitePaths,
  manifest: Manifest,
  stream: AsyncIterable<Uint8Array>,
  options: UnpackOptions,
): Promise<Release> {
  try {
    const kept = await keptRelease(paths, manifest);
    if (kept) return kept;
    await checkFit(paths, manifest, options.machine);
    await checkRoom(paths, manifest, options.limits ?? ARCHIVE_LIMITS);
    return await unpackAside(paths, manifest, stream, options.shared ?? []);
  } finally {
    await abandon(stream);
  }
}

async function unpackAside(
  paths: SitePaths,
  manifest: Manifest,
  stream: AsyncIterable<Uint8Array>,
  shared: readonly string[],
): Promise<Release> {
  const { id } = manifest;
  const dir = partialDir(paths, id);
  // A fetch that was killed has left it.
  await deletePartial(paths, id);
  try {
    await mkdir(dir);
    const release = await unpackInto(paths, dir, manifest, stream, shared);
    await rename(dir, releaseDir(paths, id));
    await sync(paths.releases);
    return release;
  } catch (error) {
    await deletePartial(paths, id);
    throw error;
  }
}

/** Lets go of a stream that was not read to its end; nothing happens to one that was. */
async function abandon(stream: AsyncIterable<Uint8Array>): Promise<void> {
  if (stream instanceof Readable) stream.destroy();
  else if (stream instanceof ReadableStream && !stream.locked) await stream.cancel();
}

/**
 * The release of this manifest, if it is here already; `null` when there is none of its id.
 *
 * @throws SlotsError `RELEASE_DIFFERS`
 */
export async function keptRelease(paths: SitePaths, manifest: Manifest): Promise<Release | null> {
  const kept = await readRelease(paths, manifest.id).catch(() => null);
  if (!kept) return null;
  if (sha256(packedRelease(kept)) === manifest.releaseSha256) return kept;
  throw new SlotsError('RELEASE_DIFFERS', `there is another release ${kept.id} on this machine`, {
    hint: 'two machines have built in the same second: edit and promote once more',
  });
}

async function checkFit(paths: SitePaths, manifest: Manifest, machine: Machine): Promise<void> {
  const { id, deps } = manifest;
  const missing = deps !== null && !(await listDeps(paths)).includes(deps);
  const unfit =
    fits(manifest.needs, machine) ??
    (missing ? 'needs packages that are not installed here' : null);
  if (unfit === null) return;
  throw new SlotsError('ARCHIVE_UNFIT', `release ${id} ${unfit}`, {
    hint: 'machines of one fleet have the same Node, platform and lock file',
  });
}

async function checkRoom(
  paths: SitePaths,
  { id, unpackedBytes, entries }: Manifest,
  limits: ArchiveLimits,
): Promise<void> {
  if (unpackedBytes > limits.unpackedBytes || entries > limits.entries) {
    throw tooLarge(
      `release ${id} has ${entries} files and ${unpackedBytes} bytes; the limits are ` +
        `${limits.entries} and ${limits.unpackedBytes}`,
    );
  }
  await mkdir(paths.releases, { recursive: true });
  const { bavail, bsize } = await statfs(paths.releases);
  if (unpackedBytes > bavail * bsize) {
    throw tooLarge(
      `release ${id} has ${unpackedBytes} bytes, and the disk has room for ${bavail * bsize}`,
    );
  }
}

async function unpackInto(
  paths: SitePaths,
  dir: string,
  manifest: Manifest,
  stream: AsyncIterable<Uint8Array>,
  shared: readonly string[],
): Promise<Release> {
  const tar = extract();
  const [writing, piping] = await Promise.allSettled([
    writeEntries(dir, manifest, tar, shared),
    pipeline(
      stream,
      packedMeter(manifest).stream,
      createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX } }),
      unpackedMeter(manifest).stream,
      tar,
    ),
  ]);
  const failures = [writing, piping].flatMap((end) =>
    end.status === 'rejected' ? [end.reason] : [],
  );
  const [failure] = failures;
  // An entry that is refused ends the pipeline, and a pipeline that fails ends the entries: ours says which it was.
  if (failure)
    throw failures.find((error) => error instanceof SlotsError) ?? broken(manifest, failure);
  const {
    release,
    files,
    folders,
    shared: linked,
  } = (writing as PromiseFulfilledResult<Written>).value;
  for (const folder of linked) await mkdir(join(paths.root, folder), { recursive: true });
  if (release.deps !== undefined) await linkDeps(dir, release.deps);
  await syncAll([...files, ...folders, dir]);
  return release;
}

/** The bytes are checked as they come, so that not one more is taken than was promised. */
function packedMeter(manifest: Manifest): Meter {
  return meter({
    onBytes: (bytes) => {
      if (bytes > manifest.bytes) throw bad(manifest, `has more than ${manifest.bytes} bytes`);
    },
    onEnd: (own) => {
      if (own.bytes() !== manifest.bytes) {
        throw bad(manifest, `has ${own.bytes()} bytes and not ${manifest.bytes}`);
      }
      if (own.sha256() !== manifest.sha256) throw bad(manifest, 'has another SHA-256');
    },
  });
}

function unpackedMeter(manifest: Manifest): Meter {
  const wrong = () => bad(manifest, `does not decompress to ${manifest.unpackedBytes} bytes`);
  return meter({
    onBytes: (bytes) => {
      if (bytes > manifest.unpackedBytes) throw wrong();
    },
    onEnd: (own) => {
      if (own.bytes() !== manifest.unpackedBytes) throw wrong();
    },
  });
}

async function syncAll(paths: string[]): Promise<void> {
  const queue = new PQueue({ concurrency: SYNCED_AT_ONCE });
  await queue.addAll(paths.map((path) => () => sync(path)));
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
