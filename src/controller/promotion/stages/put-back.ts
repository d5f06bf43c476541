import { appName } from '../../../config/ecosystem.ts';
import { SlotsError } from '../../../errors.ts';
import { pointSlot } from '../../../slots/link.ts';
import type { Slot } from '../../../slots/slot.ts';
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
  await emptySlot(context, slot);
  if (previous === null) return stopSlot(context, slot);
  await pointSlot(context.paths, slot, previous);
  try {
    await renew(context, slot, previous, 'restart');
  } catch (error) {
    const isGone = error instanceof SlotsError && error.code === 'RELEASE_UNKNOWN';
    if (isGone) await stopSlot(context, slot);
    throw error;
  }
}

async function stopSlot({ config, paths, pm2 }: StageContext, slot: Slot): Promise<void> {
  await pointSlot(paths, slot, null);
  await pm2.stop(appName(config, slot));
}
