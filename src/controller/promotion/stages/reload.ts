import { otherSlot } from '../../../slots/slot.ts';
import type { Candidate } from '../../../slots/state.ts';
import { renew } from '../renew.ts';
import type { StageContext } from './context.ts';

/**
 * Gives the retired slot fresh processes on the release it already has: a warm standby, with nothing left
 * of what weeks of traffic put into its memory.
 */
export async function reload(context: StageContext, { slot }: Candidate): Promise<void> {
  const retired = otherSlot(slot);
  const { release } = context.store.state.slots[retired];
  if (release !== null) await renew(context, retired, release, 'reload');
}
