/**
 * The source of a release travels with it: each machine takes over what the others have edited, so that its own next edit is one
 * of what visitors see. Only files that were changed there and not here; what was changed on both sides is left alone, and said.
 */
import { mkdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import type { Config } from '../../config/schema.ts';
import { messageOf } from '../../errors.ts';
import type { SitePaths } from '../../slots/paths.ts';
import type { Source } from '../../slots/source.ts';
import { createWatchedPaths } from '../../slots/watched.ts';
import type { Logger } from '../log.ts';
import { type Files, type Merge, mergeSources } from './merge.ts';
import { replaceUnlessEdited } from './replace-file.ts';
import {
  isUntrusted,
  type SourceManifest,
  type SourceStore,
  sourceManifestSchema,
} from './source-store.ts';

/** `slots/fleet-source.json`. */
const memorySchema = z.object({
  /** What this machine's files last had in common with the fleet's. */
  base: sourceManifestSchema.nullable(),
  /** What it built last: that is the base as soon as the fleet serves it, also for a controller that was killed meanwhile. */
  built: sourceManifestSchema.nullable(),
});

type Memory = z.output<typeof memorySchema>;

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
  sourceStore: SourceStore;
  read(): Promise<Source>;
  /** Keeps edits from being looked at while files are written. */
  hold(): () => void;
}

export function createSources({ config, paths, log, sourceStore, read, hold }: Parts): Sources {
  const file = join(paths.slots, 'fleet-source.json');
  const watched = createWatchedPaths(paths.root, config);
  /** Where every machine pulls, files that something else wrote would stop the next pull. */
  const pulls = config.deploy?.git === true;
  let memory: Memory | undefined;

  /** Environment files may differ from machine to machine, and hold secrets. */
  const travels = (path: string) =>
    !config.envFiles.includes(path) && watched.has(join(paths.root, path)) && !path.includes('..');

  const travelling = (files: Files): Files =>
    Object.fromEntries(Object.entries(files).filter(([path]) => travels(path)));

  const mine = async (): Promise<Files> => travelling(filesOf(await read()));

  async function remembered(): Promise<Memory> {
    memory ??= parseMemory(await readFile(file, 'utf8').catch(() => 'null'));
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

  /** For taking over: nothing is to be had, now or at the next look. */
  async function trusted(release: string): Promise<SourceManifest | null> {
    try {
      return await sourceStore.fetch(release);
    } catch (error) {
      if (!isUntrusted(error)) throw error;
      log.warn({ event: 'fleet.source-refused', release }, messageOf(error));
      return null;
    }
  }

  /** @returns the files that could not be taken over */
  async function apply({ take, drop }: Merge, from: Files, here: Source): Promise<string[]> {
    const failed: string[] = [];
    for (const path of [...take, ...drop]) {
      try {
        await put(path, from[path], here.byPath.get(path)?.stamp ?? null);
      } catch (error) {
        failed.push(path);
        const text = `${path} of another machine could not be taken over: ${messageOf(error)}`;
        log.warn({ event: 'fleet.source-failed', file: path, error: messageOf(error) }, text);
      }
    }
    return failed;
  }

  /** @param stamp that the file had when it was compared */
  async function put(path: string, wanted: string | undefined, stamp: string | null) {
    const target = join(paths.root, path);
    if (!travels(path)) throw new Error('it is not among the watched files here');
    if (wanted === undefined) return replaceUnlessEdited(target, null, stamp);
    const bytes = await sourceStore.file(wanted);
    await mkdir(dirname(target), { recursive: true });
    // A link on the way may lead out of the site.
    const folder = await realpath(dirname(target));
    if (!`${folder}${sep}`.startsWith(`${await realpath(paths.root)}${sep}`)) {
      throw new Error('a link leads out of the site there');
    }
    await replaceUnlessEdited(target, bytes, stamp);
  }

  return {
    async publish(release, all) {
      const files = travelling(all);
      await sourceStore.publish({ release, files }, (await remembered()).base);
      await remember({ built: { release, files } });
    },

    async renew(release) {
      const known = await baseAt(release);
      if (known?.release === release) await sourceStore.renew(known);
    },

    async take(release) {
      if (config.build === false || config.fleet?.build === 'never') return;
      const was = await baseAt(release);
      if (was?.release === release) return remember({ base: was });
      const there = await trusted(release);
      if (there === null) return;
      const here = await read();
      const merge = mergeSources(was?.files ?? null, there.files, travelling(filesOf(here)));
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
      const there = release === null ? null : await sourceStore.fetch(release);
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

/** A file that cannot be read says nothing of what both have in common. */
function parseMemory(text: string): Memory {
  try {
    return memorySchema.parse(JSON.parse(text));
  } catch {
    return { base: null, built: null };
  }
}

/** An edit that waits for a person, in one line. */
export function conflictText(
  { files, why }: Extract<Standing, { is: 'conflict' }>,
  release: string | null,
): string {
  const [first] = files;
  const more = files.length > 1 ? ` and ${files.length - 1} more` : '';
  const what =
    why === 'both'
      ? `${first}${more} was edited here and on another machine at once`
      : `${first}${more} is older here than what all serve`;
  return `${what} (${release}): nothing is lost and nothing is promoted; bring the files together, or \`slots promote\` takes those of this machine`;
}
