import type { Status } from '../controller/admin/status.ts';
import { duration } from '../duration.ts';
import { SlotsError } from '../errors.ts';
import type { SitePaths } from '../slots/paths.ts';
import { callController, followController } from './client.ts';
import { createProgress } from './terminal/progress.ts';

/** `slots promote`: builds and promotes now. */
export async function promote(paths: SitePaths, options: { wait?: boolean }): Promise<void> {
  if (!options.wait) {
    await callController(paths, 'POST', '/api/promote');
    console.log('promotion ordered; `slots status --watch` shows it');
    return;
  }
  const last = await orderAndWait(paths, '/api/promote');
  if (last.outcome === 'failed') {
    throw new SlotsError('PROMOTION_FAILED', `the ${last.stage} failed: ${last.error}`, {
      hint: 'visitors still see the release before; `slots logs build` shows the build',
    });
  }
  const total = Object.values(last.durationsMs).reduce((sum, ms) => sum + ms, 0);
  console.log(`${last.release} is live, after ${duration(total)}`);
}

/**
 * Orders a promotion and waits for its end, whatever that is.
 *
 * @throws SlotsError `CONTROLLER_UNREACHABLE`, or why the order is refused
 */
export async function orderAndWait(
  paths: SitePaths,
  path: string,
): Promise<NonNullable<Status['last']>> {
  const progress = createProgress();
  const events = followController(paths);
  try {
    // Following starts before ordering, so that no event of the promotion can be missed.
    await events.next();
    const { id } = await callController<{ id: string }>(paths, 'POST', path);
    progress.say('waiting for its turn');
    for await (const event of events) {
      progress.show(event);
      if (event.type === 'status' && event.status.last?.id === id) return event.status.last;
    }
    throw new SlotsError('CONTROLLER_UNREACHABLE', 'the controller went away during the promotion');
  } finally {
    progress.end();
    await events.return(undefined);
  }
}
