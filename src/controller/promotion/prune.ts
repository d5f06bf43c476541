import type { Config } from '../../config/schema.ts';
import { messageOf } from '../../errors.ts';
import { pruneDeps } from '../../slots/deps.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { deleteRelease, listReleases, releasesToPrune } from '../../slots/release.ts';
import type { State } from '../../slots/state.ts';
import { wantedDeps } from '../build/dependencies.ts';
import type { Logger } from '../log.ts';
import { moveWrites } from './move-writes.ts';

/** Removes the releases beyond `keep`, but none that a slot points to, and the dependencies of none that is left. */
export async function prune(
  config: Config,
  paths: SitePaths,
  { slots: { blue, green } }: State,
  log: Logger,
): Promise<void> {
  const ids = (await listReleases(paths)).map(({ id }) => id);
  const inUse = new Set([blue.release, green.release].filter((id) => id !== null));
  for (const id of releasesToPrune(ids, inUse, config.keep)) await remove(paths, id, log);
  for (const key of await pruneDeps(paths, await wantedDeps(config, paths.root))) {
    log.info({ event: 'deps.pruned', deps: key }, `removed the dependencies ${key}`);
  }
}

async function remove(paths: SitePaths, id: string, log: Logger): Promise<void> {
  const files = await moveWrites(paths, id).catch((error) => {
    const kept = `${id} stays: what the site wrote into it cannot be moved away: ${messageOf(error)}`;
    log.error({ event: 'release.kept', release: id, error: messageOf(error) }, kept);
    return null;
  });
  if (files === null) return;
  if (files.length > 0) {
    const moved = `the site wrote ${files.length} files into ${id}; they are in slots/written/${id} now`;
    log.warn({ event: 'release.writes-moved', release: id, files: files.slice(0, 20) }, moved);
  }
  await deleteRelease(paths, id);
  log.info({ event: 'release.pruned', release: id }, `removed ${id}`);
}
