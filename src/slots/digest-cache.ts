import { readFile } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';

/**
 * A file that was changed so shortly before it was read may change again without its time of change moving: file
 * systems keep time in steps, up to two seconds. What was read of it is used once and not kept, as git does it
 * ("racy git"). In nanoseconds.
 */
const TIME_STEP_NS = 2_500_000_000n;

/** The same where times show that they are kept in steps of less than a second: the kernel's tick, with room to spare. */
const SHORT_TIME_STEP_NS = 50_000_000n;

const SECOND_NS = 1_000_000_000n;

/** To read a file of this size once more than needed is felt, in bytes; a smaller one is not worth any risk. */
const LARGE = 16 * 1024 * 1024;

/** How a file was read. */
export interface Reading {
  /** When the file was changed last, in nanoseconds. */
  changedNs: bigint;
  /** When the reading began. */
  readNs: bigint;
  bytes: number;
}

/** The digests of watched files, by path, each with the stamp that the file had when it was read. */
export interface DigestCache {
  /** The digest known for this path with this stamp; undefined when the file has to be read. */
  get(path: string, stamp: string): string | undefined;
  put(path: string, stamp: string, digest: string, read: Reading): void;
  /** Forgets every path that is none of these. */
  keepOnly(paths: ReadonlySet<string>): void;
  /** Writes the file, if anything has changed since it was read or written. A cache: it may fail, and be lost. */
  save(written: readonly string[]): Promise<void>;
}

interface Saved {
  version: 1;
  /** Path → stamp and digest. */
  files: Record<string, [string, string]>;
  /** Watched files that builds write. */
  written: string[];
}

/** @param file where the digests outlive the process: `slots/source.json` */
export async function openDigestCache(
  file: string,
): Promise<{ cache: DigestCache; written: string[] }> {
  const saved = await readSaved(file);
  const known = new Map(Object.entries(saved.files));
  let lastWritten = saved.written.join('\n');
  let changed = false;
  const cache: DigestCache = {
    get(path, stamp) {
      const found = known.get(path);
      return found?.[0] === stamp ? found[1] : undefined;
    },
    put(path, stamp, digest, read) {
      if (read.changedNs + timeStep(read) > read.readNs) return;
      known.set(path, [stamp, digest]);
      changed = true;
    },
    keepOnly(paths) {
      if (known.size <= paths.size) return;
      for (const path of known.keys()) if (!paths.has(path)) known.delete(path);
      changed = true;
    },
    async save(written) {
      if (!changed && written.join('\n') === lastWritten) return;
      changed = false;
      lastWritten = written.join('\n');
      const text: Saved = { version: 1, files: Object.fromEntries(known), written: [...written] };
      await writeFileAtomic(file, JSON.stringify(text), { fsync: false, mode: 0o600 }).catch(() => {
        changed = true;
      });
    },
  };
  return { cache, written: saved.written };
}

function timeStep({ changedNs, bytes }: Reading): bigint {
  return bytes >= LARGE && changedNs % SECOND_NS !== 0n ? SHORT_TIME_STEP_NS : TIME_STEP_NS;
}

/** A file that cannot be used is no cache: everything is read again. */
async function readSaved(file: string): Promise<Saved> {
  const empty: Saved = { version: 1, files: {}, written: [] };
  try {
    const found = JSON.parse(await readFile(file, 'utf8')) as Saved;
    const isUsable =
      found.version === 1 &&
      Array.isArray(found.written) &&
      found.written.every((path) => typeof path === 'string') &&
      Object.values(found.files).every(
        (entry) => Array.isArray(entry) && entry.every((part) => typeof part === 'string'),
      );
    return isUsable ? found : empty;
  } catch {
    return empty;
  }
}
