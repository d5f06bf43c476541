import type { Config } from '../../config/schema.ts';
import { pruneDeps } from '../../slots/deps.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { deleteRelease, listReleases, releasesToPrune } from '../../slots/release.ts';
import type { State } from '../../slots/state.ts';
import { wantedDeps } from '../build/dependencies.ts';
import type { Logger } from '../log.ts';

/** Removes the releases beyond `keep`, but none that a slot points to, and the dependencies of none that is left. */
export async function prune(
  config: Config,
  paths: SitePaths,
  { slots: { blue, green } }: State,
  log: Logger,
): Promise<void> {
  const ids = (await listReleases(paths)).map(({ id }) => id);
  const inUse = new Set([blue.release, green.release].filter((id) => id !== null));
  for (const id of releasesToPrune(ids, inUse, config.keep)) {
    await deleteRelease(paths, id);
    log.info({ event: 'release.pruned', release: id }, `removed ${id}`);
  }
  for (const key of await pruneDeps(paths, await wantedDeps(config, paths.root))) {
    log.info({ event: 'deps.pruned', deps: key }, `removed the dependencies ${key}`);
  }
}
