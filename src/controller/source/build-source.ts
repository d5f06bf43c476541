import { openDigestCache } from '../../slots/digest-cache.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { readSource, type Source } from '../../slots/source.ts';
import type { WatchConfig } from '../../slots/watched.ts';
import { afterBegin, afterEnd, emptyMemory, type Memory } from './decide.ts';

/** The source as a build found it at its end. */
export interface BuiltSource {
  /** Watched files were changed while the build read them, by others than the build as far as is known. */
  unsettled: boolean;
  /** The source hash after the build, where the build writes watched files itself. */
  sourceHashAfter?: string;
}

/** The watched files around a build. */
export interface BuildSource {
  /** Reads them right before the build. */
  begin(): Promise<Source>;
  /** Reads them once more when it has ended, well or not. */
  end(): Promise<BuiltSource>;
}

export interface RememberedSource extends BuildSource {
  memory: Memory;
  /** Reads the files as they are now; the bytes only of those that have changed. */
  read(): Promise<Source>;
}

/**
 * @param siteWrites files that the site's own processes have written, relative to the site's root
 * @param onLearnt gets files of which it is known from now on that builds write them
 */
export async function openSource(
  config: WatchConfig,
  paths: SitePaths,
  siteWrites: () => Promise<ReadonlySet<string>> = async () => new Set(),
  onLearnt: (files: string[]) => void = () => {},
): Promise<RememberedSource> {
  const { cache, written } = await openDigestCache(paths.sourceCache);
  const read = () => readSource(paths.root, config, cache);
  const source: RememberedSource = {
    memory: emptyMemory(written),
    read,
    async begin() {
      const found = await read();
      const look = { siteWrites: await siteWrites(), now: performance.now() };
      source.memory = afterBegin(source.memory, found, look);
      return found;
    },
    async end() {
      const { memory, learnt, ...built } = afterEnd(source.memory, await read());
      source.memory = memory;
      if (learnt.length > 0) onLearnt(learnt);
      await cache.save([...memory.written].sort());
      return built;
    },
  };
  return source;
}
