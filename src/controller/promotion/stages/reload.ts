import { setTimeout as delay } from 'node:timers/promises';
import { appName } from '../../../config/ecosystem.ts';
import { readRelease } from '../../../slots/release.ts';
import type { Slot } from '../../../slots/slot.ts';
import type { StageContext } from './context.ts';
import { everyInstanceAnswers } from './start.ts';

const ATTEMPTS = 3;
const RETRY_DELAY_MS = 1000;

/**
 * Gives the retired slot fresh processes on the release it already has: a warm standby, with nothing left
 * of what weeks of traffic put into its memory.
 */
export async function reloadSlot(
  context: StageContext,
  slot: Slot,
  release: string,
): Promise<void> {
  // Invariant 6: nobody may fall back to it while its processes change.
  await context.assign();
  await renew(context, slot, release, 'reload');
}

/**
 * New processes for a slot that no worker routes to, judged by their answers; three attempts.
 *
 * @throws SlotsError `RELEASE_UNKNOWN` when the release is gone, with nothing touched
 */
export async function renew(
  context: StageContext,
  slot: Slot,
  release: string,
  first: 'reload' | 'restart',
): Promise<void> {
  const { config, paths, pm2, log } = context;
  // Processes of a release that has been deleted can still serve from memory; new ones could not.
  await readRelease(paths, release);
  const app = appName(config, slot);
  for (let attempt = 1; ; attempt++) {
    try {
      // PM2 reports a reload done even when nothing listens, so the slot itself is asked.
      await (attempt === 1 ? pm2[first](app) : pm2.restart(app));
      return await everyInstanceAnswers(context, slot, release);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      const { message } = error as Error;
      log.warn({ event: 'slot.retry', slot, error: message }, `${first} of ${slot} failed, again`);
      await delay(RETRY_DELAY_MS);
    }
  }
}
