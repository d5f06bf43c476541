import type { PuttingBack } from '../../../slots/state.ts';
import { setRelease } from '../set-release.ts';
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
  await setRelease(context, slot, previous);
}
