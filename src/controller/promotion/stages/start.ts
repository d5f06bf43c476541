import { slotApp } from '../../../config/ecosystem.ts';
import { clearAskedPorts } from '../../../slots/asked-ports.ts';
import { clearCrash } from '../../../slots/crash-file.ts';
import { pointSlot } from '../../../slots/link.ts';
import type { Candidate } from '../../../slots/state.ts';
import { emptySlot } from '../empty-slot.ts';
import { everyInstanceAnswers } from '../every-instance.ts';
import type { StageContext } from './context.ts';

/**
 * Puts a release into the idle slot and waits until each of its instances answers with that release.
 *
 * @throws SlotsError `START_CRASHED` or `START_TIMEOUT`
 */
export async function start(
  context: StageContext,
  { slot, release }: Candidate,
  signal: AbortSignal,
): Promise<void> {
  const { config, paths, pm2 } = context;
  await emptySlot(context, slot, signal);
  await pointSlot(paths, slot, release);
  await clearCrash(paths, release);
  await clearAskedPorts(paths, release);
  await pm2.renew(slotApp(paths.root, config, slot), 'restart');
  await everyInstanceAnswers(context, slot, release, signal);
}
