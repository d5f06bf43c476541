import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { pack as createTar, type Header, type Pack } from 'tar-stream';
import { messageOf, SlotsError } from '../../errors.ts';
import { parseEntry } from '../entry.ts';
import { releaseDir, type SitePaths } from '../paths.ts';
import { readRelease } from '../release.ts';
import { wrongLink } from './entry.ts';
import type { Machine } from './machine.ts';
import type { Manifest } from './manifest.ts';
import { meter } from './meter.ts';
import { packedRelease, sha256 } from './release-json.ts';

/** Above this a file goes through a stream, so that memory does not grow with it; below, one read is quicker. In bytes. */
const LARGE_FILE = 256 * 1024;

/** zstd's own default: a higher one takes more time than a local network needs for the bytes. */
const LEVEL = 3;

/** Equal in every archive, so that equal content gives equal bytes. A machine that unpacks sets the release's time. */
const COMMON = { uid: 0, gid: 0, mtime: new Date(0) };

export interface PackOptions {
  /** The machine that the release was built on. */
  machine: Machine;
  /** Folders of the config that a release may link to. */
  shared?: readonly string[];
}

export interface PackedRelease {
  /** The archive, as it is read: none of it is kept. */
  stream: Readable;
  /** Known when the stream has been read to its end; rejected when it breaks. */
  manifest: Promise<Manifest>;
}

/**
 * Archives a release: tar, sorted and without times and owners, compressed with zstd. Equal content gives equal bytes,
 * under one version of Node: another may have a zstd that finds shorter ones.
 *
 * @throws SlotsError `RELEASE_UNKNOWN`; the stream fails with `RELEASE_UNPACKABLE` when there is something in the
 *   release that other machines could not have
 */
export async function packRelease(
  paths: SitePaths,
  id: string,
  { machine, shared = [] }: PackOptions,
): Promise<PackedRelease> {
  const release = await readRelease(paths, id);
  const own = Buffer.from(packedRelease(release));
  const tar = createTar();
  const unpacked = meter();
  const packed = meter();
  const zstd = createZstdCompress({
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_nbWorkers]: 0 },
  });
  const stream = new PassThrough();
  const filled = fill(tar, { dir: releaseDir(paths, id), own, shared });
  // Whatever ends the pipeline ends the filling too; whichever failed first has the reason.
  filled.catch((error) => tar.destroy(error));
  const poured = pipeline(tar, unpacked.stream, (source) => pour(source, zstd));
  poured.catch((error) => zstd.destroy(error));
  const sent = pipeline(zstd, packed.stream, stream);
  sent.catch((error) => tar.destroy(error));
  const manifest = Promise.all([filled, poured, sent]).then(([entries]): Manifest => {
    return {
      version: 1,
      id,
      sha256: packed.sha256(),
      bytes: packed.bytes(),
      unpackedBytes: unpacked.bytes(),
      entries,
      releaseSha256: sha256(own),
      deps: release.deps ?? null,
      needs: parseEntry(release.entry).kind === 'static' ? null : machine,
    };
  });
  // A reader that meets the stream's error may never ask for the manifest.
  manifest.catch(() => {});
  return { stream, manifest };
}

/**
 * Ends the compressor after its last bytes have been taken. Where the end comes with them, as it may or may not in a pipe, zstd
 * knows the size at once and chooses other bytes.
 */
async function pour(source: AsyncIterable<Buffer>, zstd: Writable): Promise<void> {
  for await (const bytes of source) await write(zstd, bytes);
  zstd.end();
}

function write(stream: Writable, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new Error('the reader has left'));
    stream.once('close', onClose);
    stream.write(bytes, (error) => {
      stream.off('close', onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}

type Head = Partial<Header> & Pick<Header, 'name'>;

interface Source {
  /** The release's folder. */
  dir: string;
  /** Of release.json. */
  own: Buffer;
  shared: readonly string[];
}

/** @returns how many entries there are */
async function fill(tar: Pack, { dir, own, shared }: Source): Promise<number> {
  let entries = 1;
  await putBytes(tar, { ...COMMON, name: 'release.json', mode: 0o644 }, own);
  for await (const path of pathsOf(dir)) {
    await putEntry(tar, dir, path, shared).catch((error) => {
      throw error instanceof SlotsError ? error : unpackable(path, messageOf(error), error);
    });
    entries++;
  }
  tar.finalize();
  return entries;
}

/** A release's files and folders, each folder before what is in it, in an order that no locale changes. */
async function* pathsOf(dir: string): AsyncGenerator<string> {
  if ((await lstat(join(dir, 'build.log')).catch(() => null))?.isFile()) yield 'build.log';
  yield* pathsBelow(dir, 'dist');
}

async function* pathsBelow(dir: string, folder: string): AsyncGenerator<string> {
  yield folder;
  const entries = await readdir(join(dir, folder), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* pathsBelow(dir, path);
    else yield path;
  }
}

async function putEntry(
  tar: Pack,
  dir: string,
  path: string,
  shared: readonly string[],
): Promise<void> {
  const file = join(dir, path);
  if (path.includes('\uFFFD')) throw unpackable(path, 'its name is not UTF-8');
  const stats = await lstat(file);
  if (stats.isDirectory()) {
    return putBytes(tar, { ...COMMON, name: path, mode: 0o755, type: 'directory' });
  }
  if (stats.isSymbolicLink()) {
    const linkname = await readlink(file);
    const wrong = wrongLink(path, linkname, shared);
    if (wrong) throw unpackable(path, wrong);
    return putBytes(tar, { ...COMMON, name: path, mode: 0o777, type: 'symlink', linkname });
  }
  if (!stats.isFile()) throw unpackable(path, 'is neither a file nor a folder nor a link');
  const mode = stats.mode & 0o100 ? 0o755 : 0o644;
  if (stats.size <= LARGE_FILE) {
    return putBytes(tar, { ...COMMON, name: path, mode }, await readFile(file));
  }
  await pipeline(
    createReadStream(file),
    tar.entry({ ...COMMON, name: path, mode, size: stats.size }),
  );
}

/** Resolves when the archive has been read so far. */
function putBytes(tar: Pack, head: Head, bytes?: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null) => (error ? reject(error) : resolve());
    if (bytes) tar.entry(head, bytes, done);
    else tar.entry(head, done);
  });
}

function unpackable(path: string, why: string, cause?: unknown): SlotsError {
  return new SlotsError('RELEASE_UNPACKABLE', `${path} cannot go to other machines: ${why}`, {
    hint: 'a release that several machines serve holds all that it needs, or links to "shared" folders',
    cause,
  });
}
