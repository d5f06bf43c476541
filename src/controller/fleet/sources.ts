/**
 * The source of a release travels with it: each machine takes over what the others have edited, so that its own next edit is one
 * of what visitors see. Only files that were changed there and not here; what was changed on both sides is left alone, and said.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, realpath, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { ObjectStore } from '@nats-io/obj';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import type { Config } from '../../config/schema.ts';
import { messageOf, SlotsError } from '../../errors.ts';
import { openSource, signSource } from '../../slots/archive/signature.ts';
import { readFleetKey } from '../../slots/fleet-key.ts';
import type { SitePaths } from '../../slots/paths.ts';
import type { Source } from '../../slots/source.ts';
import { createWatchedPaths } from '../../slots/watched.ts';
import type { Logger } from '../log.ts';
import { type Files, type Merge, mergeSources } from './merge.ts';
import { getBlob } from './parts.ts';

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const manifestSchema = z.object({ release: z.string(), files: z.record(z.string(), digest) });

type SourceManifest = z.output<typeof manifestSchema>;

/** `slots/fleet-source.json`. */
const memorySchema = z.object({
  /** What this machine's files last had in common with the fleet's. */
  base: manifestSchema.nullable(),
  /** What it built last: that is the base as soon as the fleet serves it, also for a controller that was killed meanwhile. */
  built: manifestSchema.nullable(),
});

type Memory = z.output<typeof memorySchema>;

/** A larger file does not travel: it waits for whoever brings it. In bytes. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** What an edit here is to the fleet. */
export type Standing =
  /** Nothing was changed here that visitors do not see. */
  | { is: 'clean' }
  | { is: 'edited' }
  /** Files were changed here and elsewhere, or are older here than what all serve. */
  | { is: 'conflict'; files: string[]; why: 'both' | 'behind' };

export interface Sources {
  /** Puts the source of this release where the others find it. */
  publish(release: string, files: Files): Promise<void>;
  /** Puts it there anew, if this machine knows it and cannot trust what is there: it is from before the group had a key. */
  renew(release: string): Promise<void>;
  /** Takes over what was changed on other machines until this release. */
  take(release: string): Promise<void>;
  /** @param release that all serve; `null`: none yet, or one that they were rolled back to */
  standing(release: string | null): Promise<Standing>;
}

interface Parts {
  config: Config;
  paths: SitePaths;
  log: Logger;
  objects(): ObjectStore;
  read(): Promise<Source>;
  /** Keeps edits from being looked at while files are written. */
  hold(): () => void;
}

export function createSources({ config, paths, log, objects, read, hold }: Parts): Sources {
  const file = join(paths.slots, 'fleet-source.json');
  const watched = createWatchedPaths(paths.root, config);
  /** Where every machine pulls, files that something else wrote would stop the next pull. */
  const pulls = config.deploy?.git === true;
  const group = config.fleet?.group ?? '';
  let memory: Memory | undefined;
  let theirs: SourceManifest | null = null;

  /** Environment files may differ from machine to machine, and hold secrets. */
  const travels = (path: string) =>
    !config.envFiles.includes(path) && watched.has(join(paths.root, path)) && !path.includes('..');

  const travelling = (files: Files): Files =>
    Object.fromEntries(Object.entries(files).filter(([path]) => travels(path)));

  const mine = async (): Promise<Files> => travelling(filesOf(await read()));

  async function remembered(): Promise<Memory> {
    memory ??= parse(memorySchema, await readFile(file).catch(() => null)) ?? {
      base: null,
      built: null,
    };
    return memory;
  }

  /** @param release that all serve */
  async function baseAt(release: string | null): Promise<SourceManifest | null> {
    const { base, built } = await remembered();
    return built && built.release === release ? built : base;
  }

  async function remember(changes: Partial<Memory>): Promise<void> {
    memory = { ...(await remembered()), ...changes };
    await writeFileAtomic(file, `${JSON.stringify(memory)}\n`);
  }

  async function fetchManifest(release: string): Promise<SourceManifest | null> {
    if (theirs?.release === release) return theirs;
    theirs = opened(release, await getBlob(objects(), `source.${release}`));
    return theirs;
  }

  /** A stranger's source would be taken over, built here, and signed as this machine's own. */
  function opened(release: string, bytes: Uint8Array | null): SourceManifest | null {
    if (bytes === null) return null;
    try {
      const sealed = Buffer.from(bytes).toString();
      const text = openSource(sealed, readFleetKey(paths, group), `the source of ${release}`);
      return parse(manifestSchema, Buffer.from(text));
    } catch (error) {
      // Whoever asks what is edited must not take it for none: an edit here would undo what nobody here has seen.
      if (isUntrusted(error)) throw error;
      return null;
    }
  }

  async function putManifest(manifest: SourceManifest): Promise<void> {
    const sealed = signSource(JSON.stringify(manifest), readFleetKey(paths, group));
    await objects().putBlob({ name: `source.${manifest.release}` }, Buffer.from(sealed));
  }

  /** For taking over: nothing is to be had, now or at the next look. */
  async function trusted(release: string): Promise<SourceManifest | null> {
    try {
      return await fetchManifest(release);
    } catch (error) {
      if (!isUntrusted(error)) throw error;
      log.warn({ event: 'fleet.source-refused', release }, messageOf(error));
      return null;
    }
  }

  /** @returns the files that could not be taken over */
  async function apply({ take, drop }: Merge, from: Files, here: Files): Promise<string[]> {
    const failed: string[] = [];
    const now = await mine();
    for (const path of [...take, ...drop]) {
      try {
        if (now[path] !== here[path]) throw new Error('it was edited just now');
        await put(path, from[path]);
      } catch (error) {
        failed.push(path);
        const text = `${path} of another machine could not be taken over: ${messageOf(error)}`;
        log.warn({ event: 'fleet.source-failed', file: path, error: messageOf(error) }, text);
      }
    }
    return failed;
  }

  async function put(path: string, wanted: string | undefined): Promise<void> {
    const target = join(paths.root, path);
    if (!travels(path)) throw new Error('it is not among the watched files here');
    if (wanted === undefined) return rm(target, { force: true });
    const bytes = await getBlob(objects(), `file.${wanted}`);
    if (bytes === null || sha256(bytes) !== wanted) throw new Error("the fleet's store lost it");
    await mkdir(dirname(target), { recursive: true });
    // A link on the way may lead out of the site.
    const folder = await realpath(dirname(target));
    if (!`${folder}${sep}`.startsWith(`${await realpath(paths.root)}${sep}`)) {
      throw new Error('a link leads out of the site there');
    }
    await writeFileAtomic(target, Buffer.from(bytes));
  }

  return {
    async publish(release, all) {
      const files = travelling(all);
      const before = (await remembered()).base?.files ?? {};
      const news = Object.entries(files).filter(([path, hash]) => before[path] !== hash);
      for (const [path, hash] of news) {
        const bytes = await readFile(join(paths.root, path)).catch(() => null);
        // Edited again meanwhile, it comes with the next release.
        if (bytes === null || bytes.length > MAX_FILE_BYTES || sha256(bytes) !== hash) continue;
        await objects().putBlob({ name: `file.${hash}` }, bytes);
      }
      await putManifest({ release, files });
      await remember({ built: { release, files } });
    },

    async renew(release) {
      const known = await baseAt(release);
      // It may have been read while there was no key.
      theirs = null;
      if (known?.release === release && (await trusted(release)) === null) await putManifest(known);
    },

    async take(release) {
      if (config.build === false || config.fleet?.build === 'never') return;
      const was = await baseAt(release);
      if (was?.release === release) return remember({ base: was });
      const there = await trusted(release);
      if (there === null) return;
      const here = await mine();
      const merge = mergeSources(was?.files ?? null, there.files, here);
      if (pulls) {
        const waiting = [...merge.take, ...merge.drop];
        return remember({ base: { release, files: withOld(merge.base, was, waiting) } });
      }
      const done = hold();
      try {
        const failed = await apply(merge, there.files, here);
        await remember({ base: { release, files: withOld(merge.base, was, failed) } });
        const { take, drop, conflicts } = merge;
        if (take.length + drop.length + conflicts.length === 0) return;
        const text = `of ${release}'s source ${take.length} files were taken over, ${drop.length} deleted, and ${conflicts.length} are edited here too`;
        log.info({ event: 'fleet.source', release, take, drop, conflicts, failed }, text);
      } finally {
        done();
      }
    },

    async standing(release) {
      const was = await baseAt(release);
      const there = release === null ? null : await fetchManifest(release);
      if (there === null) return { is: 'edited' };
      const { take, drop, keep, conflicts } = mergeSources(
        was?.files ?? null,
        there.files,
        await mine(),
      );
      if (conflicts.length > 0) return { is: 'conflict', files: conflicts, why: 'both' };
      if (keep.length === 0) return { is: 'clean' };
      const behind = [...take, ...drop];
      return behind.length > 0
        ? { is: 'conflict', files: behind, why: 'behind' }
        : { is: 'edited' };
    },
  };
}

function isUntrusted(error: unknown): boolean {
  return error instanceof SlotsError && error.code === 'SIGNATURE_BAD';
}

/** The files of a source, path → digest, for another machine. */
export function filesOf({ byPath }: { byPath: ReadonlyMap<string, { digest: string }> }): Files {
  return Object.fromEntries([...byPath].map(([path, { digest }]) => [path, digest]));
}

/** What was not taken over stays as it was in what both have in common, so that it is found again. */
function withOld(files: Files, was: SourceManifest | null, paths: readonly string[]): Files {
  const next = { ...files };
  for (const path of paths) {
    const hash = was?.files[path];
    if (hash === undefined) delete next[path];
    else next[path] = hash;
  }
  return next;
}

function parse<S extends z.ZodType>(schema: S, bytes: Uint8Array | null): z.output<S> | null {
  if (bytes === null) return null;
  try {
    return schema.parse(JSON.parse(Buffer.from(bytes).toString()));
  } catch {
    return null;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
