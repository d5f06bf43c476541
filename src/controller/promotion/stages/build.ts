import { addSource, sourcesOf } from '../../../slots/release.ts';
import type { Building } from '../../../slots/state.ts';
import { buildRelease } from '../../build/build.ts';
import { sameAsLive } from '../../source/live-output.ts';
import { named } from '../machine.ts';
import type { StageContext } from './context.ts';

/**
 * Builds the watched files as they are now into a release of their own. No slot is touched. A build that writes what is live
 * already makes none, and the promotion ends with it.
 *
 * @throws SlotsError `BUILD_FAILED`, `BUILD_TIMEOUT`, `BUILD_CANCELED` or `BUILD_EMPTY`
 */
export async function build(
  context: StageContext,
  { id, trigger }: Building,
  signal: AbortSignal,
): Promise<void> {
  const { config, paths, store, inbox, source, archive, log, buildLines } = context;
  const release = await buildRelease(config, paths, {
    trigger,
    changed: inbox.takeChanges(),
    signal,
    source,
    onNamed: async (release) => {
      await store.update((state) => named(state, release));
    },
    onLine: buildLines.push,
    onNotice: (text) => log.warn({ event: 'build.notice', id }, text),
    async isLive(built, outDir) {
      const live = await sameAsLive(context, trigger, built, outDir);
      if (live === null) return false;
      await addSource(paths, live, sourcesOf(built));
      source.leftOut(live);
      return true;
    },
  });
  if (release === null) {
    await store.update((state) => named(state, null));
    return;
  }
  archive.add(release);
  source.builtAs(release.id);
  if (release.unsettled) inbox.lookForChanges('edit');
}
