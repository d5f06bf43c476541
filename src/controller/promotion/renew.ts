import { setTimeout as delay } from 'node:timers/promises';
import { slotApp } from '../../config/ecosystem.ts';
import type { Config } from '../../config/schema.ts';
import type { Pm2 } from '../../pm2.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { readRelease } from '../../slots/release.ts';
import type { Slot } from '../../slots/slot.ts';
import type { Logger } from '../log.ts';
import { everyInstanceAnswers } from './every-instance.ts';

const ATTEMPTS = 3;
const RETRY_DELAY_MS = 1000;

interface Parts {
  config: Config;
  paths: SitePaths;
  pm2: Pick<Pm2, 'instances' | 'renew'>;
  log: Logger;
}

/**
 * New processes for a slot that no worker routes to, judged by their answers; three attempts.
 *
 * @throws SlotsError `RELEASE_UNKNOWN` when the release is gone: before the first attempt with nothing touched,
 * after one that has failed with whatever is left of it
 */
export async function renew(
  { config, paths, pm2, log }: Parts,
  slot: Slot,
  release: string,
  first: 'reload' | 'restart',
): Promise<void> {
  // Processes of a release that has been deleted can still serve from memory; new ones could not.
  await readRelease(paths, release);
  const app = slotApp(paths.root, config, slot);
  for (let attempt = 1; ; attempt++) {
    try {
      // PM2 reports a reload done even when nothing listens, so the slot itself is asked.
      await pm2.renew(app, attempt === 1 ? first : 'restart');
      return await everyInstanceAnswers({ config, paths, pm2 }, slot, release);
    } catch (error) {
      // Deleted meanwhile, no attempt can succeed; and the caller must not count on it as a standby.
      await readRelease(paths, release);
      if (attempt === ATTEMPTS) throw error;
      const { message } = error as Error;
      log.warn({ event: 'slot.retry', slot, error: message }, `${first} of ${slot} failed, again`);
      await delay(RETRY_DELAY_MS);
    }
  }
}
