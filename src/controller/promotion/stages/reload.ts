import { slotRelease } from '../../../slots/link.ts';
import { otherSlot } from '../../../slots/slot.ts';
import type { Candidate } from '../../../slots/state.ts';
import { renewOrStop, setRelease } from '../set-release.ts';
import type { StageContext } from './context.ts';

/**
 * Gives the retired slot fresh processes: a warm standby, with nothing left of what weeks of traffic put into its
 * memory. It keeps its release, but after a restart, which has moved that to the other slot: then it gets the one before.
 *
 * @throws SlotsError `RELEASE_UNKNOWN` when that release is gone; then the slot is stopped
 */
export async function reload(context: StageContext, { slot }: Candidate): Promise<void> {
  const retired = otherSlot(slot);
  const { release } = context.store.state.slots[retired];
  const keepsRelease = release !== null && (await slotRelease(context.paths, retired)) === release;
  if (keepsRelease) await renewOrStop(context, retired, release, 'reload');
  else await setRelease(context, retired, release);
}
