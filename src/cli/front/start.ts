/** Starts and ends the front, the one PM2 app that sites with `hosts` share. */
import { setTimeout as delay } from 'node:timers/promises';
import { FRONT_APP, KILL_MARGIN_MS } from '../../config/ecosystem.ts';
import { type FrontConfig, usableFrontConfig } from '../../config/front.ts';
import { frontApp } from '../../config/front-app.ts';
import { endProcess } from '../../end-process.ts';
import { SlotsError } from '../../errors.ts';
import { withFileLock } from '../../file-lock.ts';
import type { Instance, Pm2 } from '../../pm2.ts';
import type { HomePaths } from '../../slots/home.ts';
import { checkPort } from '../check-ports.ts';
import { type FrontWorker, frontWorkers } from './workers.ts';

/** How long the workers may take until they serve, in milliseconds. */
const START_TIMEOUT_MS = 30_000;
const LOOK_INTERVAL_MS = 100;

/**
 * Starts the front unless it runs already, under this daemon or another one, and waits until it serves.
 *
 * @returns whether it had to be started
 * @throws SlotsError `PORT_TAKEN`, `PORT_FORBIDDEN`, `NAME_TAKEN`, `FRONT_SILENT`
 */
export async function startFront(pm2: Pm2, home: HomePaths, config: FrontConfig): Promise<boolean> {
  const isNew = await withFileLock(home.lock, async () => {
    const workers = await frontWorkers(home);
    if (workers.some(({ isOrphan }) => !isOrphan)) return false;
    const known = await pm2.instances(FRONT_APP);
    const foreign = known.find(({ root }) => root !== home.home);
    if (foreign) throw taken(foreign);
    if (known.some(({ status }) => status === 'online' || status === 'launching')) return false;
    // What a daemon that died has left behind serves until the new workers take its sockets.
    if (workers.length === 0) await checkPorts(config, home);
    await pm2.delete(FRONT_APP);
    await pm2.start([frontApp(home, config)]);
    return true;
  });
  await untilServing(home, config.workers);
  return isNew;
}

/** @returns whether it ran */
export async function stopFront(pm2: Pm2 | null, home: HomePaths): Promise<boolean> {
  return withFileLock(home.lock, async () => {
    const known = (await pm2?.instances(FRONT_APP)) ?? [];
    const isOurs = known.some(({ root }) => root === home.home);
    if (isOurs) await pm2?.delete(FRONT_APP);
    const left = (await frontWorkers(home)).filter(({ isOrphan }) => isOrphan);
    const { drainTimeoutMs } = usableFrontConfig(home.frontConfig);
    await Promise.all(left.map(({ pid }) => endProcess(pid, drainTimeoutMs + KILL_MARGIN_MS)));
    return isOurs || left.length > 0;
  });
}

/**
 * Gives the front fresh workers, one after the other and as many as front.json says, which go by that file as it is now.
 *
 * @throws SlotsError `FRONT_DOWN`, `FRONT_SILENT`, `STACK_OLD`
 */
export async function reloadFront(pm2: Pm2, home: HomePaths, config: FrontConfig): Promise<void> {
  const before = await frontWorkers(home);
  await withFileLock(home.lock, async () => {
    const known = await pm2.instances(FRONT_APP);
    if (!known.some(({ root }) => root === home.home)) throw frontDown();
    const { script } = frontApp(home, config);
    const other = known.find((instance) => instance.script !== script);
    if (other) throw stackOld(other, script);
    // Those that are too many end first, and those that are new come last: none is started twice.
    if (known.length > config.workers) await pm2.scale(FRONT_APP, config.workers);
    await pm2.reload(FRONT_APP);
    await pm2.scale(FRONT_APP, config.workers);
  });
  await untilServing(home, config.workers, before);
}

/** @param before workers whose places new ones are to have taken */
async function untilServing(
  home: HomePaths,
  count: number,
  before: readonly FrontWorker[] = [],
): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  const isOld = (pid: number) => before.some((worker) => worker.pid === pid);
  for (;;) {
    const serving = (await frontWorkers(home)).filter(
      ({ pid, isOrphan, status }) => status !== null && !isOrphan && !isOld(pid),
    );
    if (serving.length >= count) return;
    if (performance.now() > deadline) {
      const what = `${serving.length} of ${count} workers of the front serve`;
      throw new SlotsError('FRONT_SILENT', what, { hint: `\`pm2 logs ${FRONT_APP}\` says why` });
    }
    await delay(LOOK_INTERVAL_MS);
  }
}

async function checkPorts({ ports, host }: FrontConfig, { frontConfig }: HomePaths): Promise<void> {
  await checkPort('ports.http', ports.http, host, frontConfig);
  await checkPort('ports.https', ports.https, host, frontConfig);
}

export function frontDown(): SlotsError {
  return new SlotsError('FRONT_DOWN', 'the front does not run', {
    hint: 'start it with `slots front up`; `slots up` of a site with "hosts" does so as well',
  });
}

function taken({ root }: Instance): SlotsError {
  const whose = root ?? 'another program';
  return new SlotsError('NAME_TAKEN', `PM2 runs an app ${FRONT_APP} already, of ${whose}`, {
    hint: 'one PM2 runs one front: set SLOTS_HOME to that folder, or give this one a PM2_HOME of its own',
  });
}

/** PM2 keeps the path of an app's script for good (Unitech/pm2 #3742). */
function stackOld({ script }: Instance, wanted: string): SlotsError {
  return new SlotsError('STACK_OLD', `the front runs slots from ${script}, not from ${wanted}`, {
    hint: 'with a gap of a second: `slots front down && slots front up`; or reload it with the slots that it runs',
  });
}
