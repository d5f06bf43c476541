import { appName } from '../../../config/ecosystem.ts';
import { pointSlot } from '../../../slots/link.ts';
import type { SitePaths } from '../../../slots/paths.ts';
import { readRelease } from '../../../slots/release.ts';
import type { PuttingBack } from '../../../slots/state.ts';
import { emptySlot } from '../empty-slot.ts';
import { renew } from '../renew.ts';
import type { StageContext } from './context.ts';

/**
 * After a failure: the candidate's slot gets back the release it had, or is stopped when it had none. Not to be
 * interrupted, or else there would be no standby to roll back to.
 *
 * @throws SlotsError `RELEASE_UNKNOWN` when that release is gone; then the slot is stopped too, or else the
 * failed candidate would pass for a standby
 */
export async function putBack(
  context: StageContext,
  { slot, previous }: PuttingBack,
): Promise<void> {
  const { config, paths, pm2 } = context;
  await emptySlot(context, slot);
  const gone = previous === null ? null : await complaintAbout(paths, previous);
  await pointSlot(paths, slot, gone ? null : previous);
  if (previous !== null && !gone) return renew(context, slot, previous, 'restart');
  await pm2.stop(appName(config, slot));
  if (gone) throw gone;
}

function complaintAbout(paths: SitePaths, release: string): Promise<Error | null> {
  return readRelease(paths, release).then(
    () => null,
    (error: Error) => error,
  );
}
