/**
 * Must this edit be built? All that is known goes in as values, and the answer and the new memory come out: nothing here
 * reads a file or a clock.
 */

/** One watched file: `stamp` moves with each write, `digest` with its bytes. */
interface SourceFile {
  stamp: string;
  digest: string;
}

/** The watched files at one instant; see slots/source.ts. */
export interface SourceState {
  hash: string;
  stamp: string;
  byPath: ReadonlyMap<string, SourceFile>;
}

/** The source of the release that visitors see. */
export interface LiveRelease {
  sourceHash: string;
  sourceHashAfter?: string | undefined;
  alsoFrom?: readonly string[] | undefined;
  /** Watched files changed while the build read them. */
  unsettled: boolean;
  trigger: string;
}

export interface Look {
  /** Why the files were looked at. */
  trigger: string;
  source: SourceState;
  live: LiveRelease | null;
  /** Files that the site's own processes have written, relative to the site's root. */
  siteWrites: ReadonlySet<string>;
  /** In milliseconds. */
  now: number;
}

/** Why the watched files have to be built: they are not what visitors see, or nobody knows whether they are. */
export type BuildReason = 'changed' | 'unsettled';

export type Decision =
  | { build: BuildReason }
  /** `live`: visitors see it. `failed`: it was built and failed, and would again. */
  | { build: null; why: 'live' | 'failed' }
  /** A build would only be the next of a row that never ends. `files` are those that keep it going. */
  | { build: null; why: 'self-made'; by: 'build' | 'site'; files: string[] };

/** The memory from one build to the next. */
export interface Memory {
  /** The source hash of the last build: what failed would fail again, until the files differ. */
  attempted: string | null;
  /** One that was built while the files changed, so that nobody knows what failed. Tried again once. */
  doubted: string | null;
  /** The source that the last build read. */
  begun: SourceState | null;
  /** The source at its end. */
  ended: SourceState | null;
  /** Builds in a row each of which changed what it had read, with nobody changing anything between them. */
  selfMade: number;
  /** For each file, through how many builds in a row it was written, and at no other time. */
  streaks: ReadonlyMap<string, number>;
  /** Files that are known to be written by builds. */
  written: ReadonlySet<string>;
  /** Files that somebody has changed while no build ran. */
  byOthers: ReadonlySet<string>;
  /** Builds whose only cause were files that the site wrote, and when the last of them began. */
  bySite: { builds: number; lastAt: number };
}

/** So many builds in a row that cause themselves are no coincidence. */
export const MAX_SELF_MADE = 3;

/**
 * As many for a file that somebody has also changed between builds: whoever saves while they write may well meet one build
 * after the other, and what was saved last must not be lost.
 */
export const MAX_SELF_MADE_BY_OTHERS = 10;

/** After this time without such a build the site may cause builds again: a person may write through it. In milliseconds. */
export const SITE_QUIET_MS = 10 * 60_000;

export function emptyMemory(written: readonly string[] = []): Memory {
  return {
    attempted: null,
    doubted: null,
    begun: null,
    ended: null,
    selfMade: 0,
    streaks: new Map(),
    written: new Set(written),
    byOthers: new Set(),
    bySite: { builds: 0, lastAt: Number.NEGATIVE_INFINITY },
  };
}

export function decide(memory: Memory, look: Look): Decision {
  const { trigger, source, live } = look;
  if (live && isBuiltFrom(live, source)) {
    // Written and put back while the build read: nobody knows which of the two is inside. Once only, or a build
    // that writes into a watched folder would start itself for ever.
    const isDoubtful = live.unsettled && live.trigger !== 'unsettled';
    return isDoubtful ? { build: 'unsettled' } : { build: null, why: 'live' };
  }
  if (memory.begun && source.stamp === memory.ended?.stamp) {
    const files = changedPaths(memory.begun, source);
    if (memory.selfMade >= coincidences(memory, files)) {
      return { build: null, why: 'self-made', by: 'build', files };
    }
  }
  if (trigger === 'edit' && source.hash === memory.attempted) return { build: null, why: 'failed' };
  const files = causeOf(memory, source);
  // Build what somebody asks for, whoever wrote it.
  if (trigger === 'edit' && isBySite(files, look) && siteBuilds(memory, look) >= MAX_SELF_MADE) {
    return { build: null, why: 'self-made', by: 'site', files };
  }
  return { build: 'changed' };
}

/** In so many builds in a row these files may be written by chance. */
function coincidences({ byOthers }: Memory, files: readonly string[]): number {
  return files.some((path) => byOthers.has(path)) ? MAX_SELF_MADE_BY_OTHERS : MAX_SELF_MADE;
}

function isBuiltFrom(live: LiveRelease, { hash }: SourceState): boolean {
  const { sourceHash, sourceHashAfter, alsoFrom = [] } = live;
  return hash === sourceHash || hash === sourceHashAfter || alsoFrom.includes(hash);
}

/** The files that differ from what the last build read, less those that it wrote itself. Empty when nobody knows. */
function causeOf({ begun, ended, written }: Memory, source: SourceState): string[] {
  if (!begun) return [];
  return changedPaths(begun, source).filter((path) => {
    const left = ended?.byPath.get(path)?.digest;
    return !written.has(path) || left !== source.byPath.get(path)?.digest;
  });
}

function isBySite(files: readonly string[], { siteWrites }: Pick<Look, 'siteWrites'>): boolean {
  return files.length > 0 && files.every((path) => siteWrites.has(path));
}

function siteBuilds({ bySite }: Memory, { now }: Pick<Look, 'now'>): number {
  return now - bySite.lastAt > SITE_QUIET_MS ? 0 : bySite.builds;
}

/** The files whose bytes differ, that came or that went, in order. */
export function changedPaths(from: SourceState, to: SourceState): string[] {
  return differing(from, to, 'digest');
}

/** The same, and those that were written anew with the same bytes. */
export function writtenPaths(from: SourceState, to: SourceState): string[] {
  return differing(from, to, 'stamp');
}

function differing(from: SourceState, to: SourceState, by: keyof SourceFile): string[] {
  const paths = new Set([...from.byPath.keys(), ...to.byPath.keys()]);
  return [...paths]
    .filter((path) => from.byPath.get(path)?.[by] !== to.byPath.get(path)?.[by])
    .sort();
}

/** A build has read the source and begins. */
export function afterBegin(
  memory: Memory,
  source: SourceState,
  look: Pick<Look, 'siteWrites' | 'now'>,
): Memory {
  // A file that changes between two builds may be a person's: builds are not its only writers.
  const others = new Set(memory.ended && differing(memory.ended, source, 'stamp'));
  const bySite = isBySite(causeOf(memory, source), look)
    ? { builds: siteBuilds(memory, look) + 1, lastAt: look.now }
    : memory.bySite;
  return {
    ...memory,
    attempted: source.hash,
    begun: source,
    selfMade: source.stamp === memory.ended?.stamp ? memory.selfMade : 0,
    streaks: new Map([...memory.streaks].filter(([path]) => !others.has(path))),
    written: new Set([...memory.written].filter((path) => !others.has(path))),
    byOthers: new Set([...memory.byOthers, ...others]),
    bySite,
  };
}

export interface EndedBuild {
  memory: Memory;
  /** Files that were changed while the build read them, by others than builds as far as is known. */
  unsettled: boolean;
  /** The source hash now, where it differs only by what builds are known to write. */
  sourceHashAfter?: string;
  /** Files of which it is known from now on that builds write them. */
  learnt: string[];
}

/** A build has ended, well or not, and the source is this now. */
export function afterEnd(memory: Memory, source: SourceState): EndedBuild {
  const { begun } = memory;
  if (!begun) return { memory: { ...memory, ended: source }, unsettled: true, learnt: [] };
  const moved = differing(begun, source, 'stamp');
  const streaks = new Map(moved.map((path) => [path, (memory.streaks.get(path) ?? 0) + 1]));
  const isRewritten = (path: string) =>
    begun.byPath.get(path)?.digest === source.byPath.get(path)?.digest;
  // A build that writes the same bytes again is known by its second time; one that never does by its third.
  const learnt = moved.filter((path) => {
    const builds = streaks.get(path) ?? 0;
    const isKnown = builds >= coincidences(memory, [path]) || (builds === 2 && isRewritten(path));
    return isKnown && !memory.written.has(path);
  });
  const written = new Set([...memory.written, ...learnt]);
  const unsettled = moved.some((path) => !written.has(path));
  const next = { ...memory, ended: source, streaks, written };
  if (unsettled) {
    return {
      memory: { ...doubting(next), selfMade: memory.selfMade + 1 },
      unsettled,
      learnt,
    };
  }
  return {
    memory: { ...next, attempted: source.hash, selfMade: 0 },
    unsettled,
    ...(source.hash !== begun.hash && { sourceHashAfter: source.hash }),
    learnt,
  };
}

/** The build may have read what is put back by now: that it fails would say nothing about the source as it is. */
function doubting(memory: Memory): Memory {
  if (memory.attempted === memory.doubted) return memory;
  return { ...memory, doubted: memory.attempted, attempted: null };
}

/** Nothing has failed, or what failed is live: after a rollback the same source may be wanted again. */
export function forgetAttempt(memory: Memory): Memory {
  return { ...memory, attempted: null };
}
