import { setTimeout as delay } from 'node:timers/promises';
import { appName } from '../../config/ecosystem.ts';
import type { Config } from '../../config/schema.ts';
import type { Pm2 } from '../../pm2.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { SLOTS } from '../../slots/slot.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store.ts';
import { alignLinks } from './recovery.ts';

/** How often the links are looked at, in milliseconds. */
const LOOK_INTERVAL_MS = 2000;

/** An instance that has just begun to start finds the wrong link and ends a moment later only. */
const LOOKS_AFTER_MOVE = 5;

interface Parts {
  config: Config;
  paths: SitePaths;
  store: Store;
  pm2: Pick<Pm2, 'startStopped'>;
  log: Logger;
}

/**
 * Keeps the slots' symlinks where the state says. An instance that starts while its slot's link is missing or wrong
 * has nothing to serve and is left stopped by PM2, so those are started again; what runs is left alone.
 */
export async function keepLinks(parts: Parts): Promise<never> {
  const { paths, store, log } = parts;
  let looks = LOOKS_AFTER_MOVE;
  for (;;) {
    // During a promotion the links are the stages' to move, and the next controller's once this one is to end.
    if (store.state.promotion === null && !store.isFrozen) {
      const moved = await alignLinks(paths, store.state, log).catch((error: Error) =>
        log.error({ event: 'slot.realign-failed', error: error.message }, error.message),
      );
      if (moved) looks = LOOKS_AFTER_MOVE;
      if (looks-- > 0) await startStopped(parts);
    }
    await delay(LOOK_INTERVAL_MS);
  }
}

async function startStopped({ config, store, pm2 }: Parts): Promise<void> {
  for (const slot of SLOTS) {
    if (store.state.promotion || store.state.slots[slot].release === null) continue;
    await pm2.startStopped(appName(config, slot));
  }
}
