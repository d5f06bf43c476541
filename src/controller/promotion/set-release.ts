import { appName } from '../../config/ecosystem.ts';
import { SlotsError } from '../../errors.ts';
import { pointSlot } from '../../slots/link.ts';
import type { Slot } from '../../slots/slot.ts';
import { emptySlot } from './empty-slot.ts';
import { renew } from './renew.ts';
import type { StageContext } from './stages/context.ts';

/**
 * Lets a slot that no worker routes to hold this release, in fresh processes, or nothing.
 *
 * @throws SlotsError `RELEASE_UNKNOWN` when that release is gone; then the slot is stopped too, or else what it
 * held before would pass for a standby
 */
export async function setRelease(
  context: StageContext,
  slot: Slot,
  release: string | null,
): Promise<void> {
  await emptySlot(context, slot);
  if (release === null) return stopSlot(context, slot);
  await pointSlot(context.paths, slot, release);
  await renewOrStop(context, slot, release, 'restart');
}

/**
 * Fresh processes for a slot that no worker routes to.
 *
 * @throws SlotsError `RELEASE_UNKNOWN` when its release is gone; then the slot is stopped, since processes that still run
 * from memory are no standby: none of them could be started again
 */
export async function renewOrStop(
  context: StageContext,
  slot: Slot,
  release: string,
  how: 'reload' | 'restart',
): Promise<void> {
  try {
    await renew(context, slot, release, how);
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
