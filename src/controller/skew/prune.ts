/** What the archive lets go, and when: pure. */
import type { AssetsIndex, KeptFile } from '../../slots/assets-index.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export interface Limits {
  /** How long a file is kept after it was last live. */
  days: number;
  /** Of all contents together. */
  maxBytes: number;
}

/** What is live: by path, and by the release that had it last, whose files may be gone from the disk. */
export interface Live {
  paths: ReadonlySet<string>;
  releases: ReadonlySet<string>;
}

/**
 * The archive as it is to be: files that are live are marked so and stay, others go by age, and by size those first that
 * were live longest ago.
 *
 * @param now in milliseconds since 1970
 */
export function prune(index: AssetsIndex, live: Live, limits: Limits, now: number): AssetsIndex {
  const isLive = (path: string, { release }: KeptFile) =>
    live.paths.has(path) || live.releases.has(release);
  const stay = new Map<string, KeptFile>();
  const others: [string, KeptFile][] = [];
  for (const [path, file] of index.files) {
    if (isLive(path, file)) stay.set(path, { ...file, liveAt: now });
    // A clock that was set back makes nothing older.
    else if (now - file.liveAt <= limits.days * DAY_MS) others.push([path, file]);
  }
  const contents = new Map<string, { size: number; mtimeMs: number }>();
  let bytes = 0;
  const sizeOf = (digest: string) => index.contents.get(digest)?.size ?? 0;
  const take = (digest: string) => {
    const content = index.contents.get(digest);
    if (content === undefined || contents.has(digest)) return;
    contents.set(digest, content);
    bytes += content.size;
  };
  for (const { digest } of stay.values()) take(digest);
  for (const [path, file] of others.sort(([, a], [, b]) => b.liveAt - a.liveAt)) {
    const more = contents.has(file.digest) ? 0 : sizeOf(file.digest);
    // One that never fits costs no other its place.
    if (more > limits.maxBytes) continue;
    if (bytes + more > limits.maxBytes) break;
    take(file.digest);
    stay.set(path, file);
  }
  return { releases: index.releases, files: stay, contents };
}

/** How many bytes the archive may have, so that the next release finds room on the disk. */
export function budget(
  maxBytes: number,
  { has, free, needed }: { has: number; free: number; needed: number },
): number {
  return Math.max(0, Math.min(maxBytes, has + free - needed));
}

export function bytesOf({ contents }: AssetsIndex): number {
  let bytes = 0;
  for (const { size } of contents.values()) bytes += size;
  return bytes;
}
