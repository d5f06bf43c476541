import { otherSlot } from '../../../slots/slot.ts';
import type { Candidate } from '../../../slots/state.ts';
import { emptySlot } from '../empty-slot.ts';
import type { StageContext } from './context.ts';

/** Waits until nothing is open on the retiring slot; ends early when the slot is wanted back. */
export async function drain(
  context: StageContext,
  { slot }: Candidate,
  signal: AbortSignal,
): Promise<void> {
  await emptySlot(context, otherSlot(slot), signal);
}
