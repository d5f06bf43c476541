import { slotApp } from '../config/ecosystem.ts';
import type { Config } from '../config/schema.ts';
import { duration } from '../duration.ts';
import { SlotsError } from '../errors.ts';
import { connectPm2, type Pm2 } from '../pm2.ts';
import { isDaemonRunning } from '../pm2-daemon.ts';
import type { SitePaths } from '../slots/paths.ts';
import { SLOTS } from '../slots/slot.ts';
import { untilControllerAnswers } from './controller-answers.ts';
import { orderAndWait } from './promote.ts';
import { applyConfig, startedWith } from './running-config.ts';

/**
 * `slots restart`: both slots get fresh processes with the current environment, one after the other, with a flip
 * between them. What is live stays live.
 */
export async function restart(wanted: Config, paths: SitePaths): Promise<void> {
  await bringController(wanted, paths);
  await renewSlots(paths);
}

/** Lets the controller go by the config file as it is now. */
async function bringController(wanted: Config, paths: SitePaths): Promise<void> {
  if (!isDaemonRunning()) throw notUp(wanted);
  const pm2 = await connectPm2();
  try {
    const started = startedWith(await pm2.all(), paths);
    if (started === null) throw notUp(wanted);
    await applyConfig(pm2, wanted, started, paths);
    await untilControllerAnswers({ ...wanted, ...started }, paths);
  } finally {
    pm2.disconnect();
  }
}

/**
 * Orders the promotion that renews both slots, and waits for its end.
 *
 * @throws SlotsError `PROMOTION_FAILED`
 */
export async function renewSlots(paths: SitePaths): Promise<void> {
  const last = await orderAndWait(paths, '/api/restart');
  if (last.outcome === 'failed') {
    throw new SlotsError('PROMOTION_FAILED', `the ${last.stage} failed: ${last.error}`, {
      hint: 'visitors still see the processes from before; mend the environment and run `slots restart` again',
    });
  }
  const total = Object.values(last.durationsMs).reduce((sum, ms) => sum + ms, 0);
  console.log(`${last.release} runs in fresh processes, after ${duration(total)}`);
  if (last.error) console.error(`the standby could not be renewed: ${last.error}`);
}

/** Whether PM2 runs a slot with an environment or arguments that are not the config's any more. */
export async function isEnvironmentStale(
  pm2: Pick<Pm2, 'all'>,
  config: Config,
  paths: SitePaths,
): Promise<boolean> {
  const known = await pm2.all();
  return SLOTS.some((slot) => {
    const { name, env } = slotApp(paths.root, config, slot);
    return known.get(name)?.some(({ definition }) => definition !== env.SLOTS_DEFINITION);
  });
}

function notUp({ name }: Config): SlotsError {
  return new SlotsError('NOT_UP', `${name} is not running`, { hint: 'start it with `slots up`' });
}
