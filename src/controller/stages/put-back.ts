import { appName } from '../../config/ecosystem.ts';
import { pointSlot } from '../../slots/link.ts';
import type { Slot } from '../../slots/slot.ts';
import type { StageContext } from './context.ts';
import { emptySlot } from './drain.ts';
import { renew } from './reload.ts';

/** After a failure: the idle slot gets back the release it had, or is stopped when it had none. */
export async function putBack(
  context: StageContext,
  slot: Slot,
  previous: string | null,
): Promise<void> {
  const { config, paths, pm2 } = context;
  await context.assign();
  await emptySlot(context, slot);
  await pointSlot(paths, slot, previous);
  if (previous === null) return pm2.stop(appName(config, slot));
  await renew(context, slot, previous, 'restart');
}
