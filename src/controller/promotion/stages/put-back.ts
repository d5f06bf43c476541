import { appName } from '../../../config/ecosystem.ts';
import { pointSlot } from '../../../slots/link.ts';
import type { SitePaths } from '../../../slots/paths.ts';
import { readRelease } from '../../../slots/release.ts';
import type { Slot } from '../../../slots/slot.ts';
import type { StageContext } from './context.ts';
import { emptySlot } from './drain.ts';
import { renew } from './reload.ts';

/**
 * After a failure: the idle slot gets back the release it had, or is stopped when it had none.
 *
 * @throws SlotsError `RELEASE_UNKNOWN` when that release is gone; then the slot is stopped too, or else the
 * failed candidate would pass for a standby
 */
export async function putBack(
  context: StageContext,
  slot: Slot,
  previous: string | null,
): Promise<void> {
  const { config, paths, pm2 } = context;
  await context.assign();
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
