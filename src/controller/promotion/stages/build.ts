import type { Building } from '../../../slots/state.ts';
import { buildRelease } from '../../build/build.ts';
import { named } from '../machine.ts';
import type { StageContext } from './context.ts';

/**
 * Builds the watched files as they are now into a release of their own. No slot is touched.
 *
 * @throws SlotsError `BUILD_FAILED`, `BUILD_TIMEOUT`, `BUILD_CANCELED` or `BUILD_EMPTY`
 */
export async function build(
  context: StageContext,
  { trigger }: Building,
  signal: AbortSignal,
): Promise<void> {
  const { config, paths, store, inbox, source, onBuildLine } = context;
  const build = buildRelease(config, paths, {
    trigger,
    changed: inbox.takeChanges(),
    signal,
    onNamed: async (id, found) => {
      source.buildBegan(found);
      await store.update((state) => named(state, id));
    },
    onLine: onBuildLine,
  });
  const release = await build.finally(source.buildEnded);
  if (release.unsettled) inbox.lookForChanges('edit');
}
