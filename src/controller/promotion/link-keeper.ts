import { setTimeout as delay } from 'node:timers/promises';
import { appName } from '../../config/ecosystem.ts';
import { SLOTS } from '../../slots/slot.ts';
import { alignLinks } from './recovery.ts';
import type { StageContext } from './stages/context.ts';

/** How often the links are looked at, in milliseconds. */
const LOOK_INTERVAL_MS = 2000;

/** An instance that has just begun to start finds the wrong link and ends a moment later only. */
const LOOKS_AFTER_MOVE = 5;

/**
 * Keeps the slots' symlinks where the state says. An instance that starts while its slot's link is missing or wrong
 * has nothing to serve and is left stopped by PM2, so those are started again; what runs is left alone.
 */
export async function keepLinks(context: StageContext): Promise<never> {
  const { paths, store, log } = context;
  let looks = LOOKS_AFTER_MOVE;
  for (;;) {
    // During a promotion the links are the stages' to move.
    if (store.state.promotion === null) {
      const moved = await alignLinks(paths, store.state, log).catch((error: Error) =>
        log.error({ event: 'slot.realign-failed', error: error.message }, error.message),
      );
      if (moved) looks = LOOKS_AFTER_MOVE;
      if (looks-- > 0) await startStopped(context);
    }
    await delay(LOOK_INTERVAL_MS);
  }
}

async function startStopped({ config, store, pm2 }: StageContext): Promise<void> {
  for (const slot of SLOTS) {
    if (store.state.promotion || store.state.slots[slot].release === null) continue;
    await pm2.startStopped(appName(config, slot));
  }
}
