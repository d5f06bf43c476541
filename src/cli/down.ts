import { setTimeout as delay } from 'node:timers/promises';
import { type AppRole, appName } from '../config/ecosystem.ts';
import type { Config } from '../config/schema.ts';
import { controllerPid } from '../controller/control-socket.ts';
import { SlotsError } from '../errors.ts';
import { connectPm2, isDaemonRunning, type Pm2, pm2Home } from '../pm2.ts';
import type { SitePaths } from '../slots/paths.ts';
import { startedWith } from './running-config.ts';

/** Time that the proxy gets to finish open requests before the slots go too, in milliseconds. */
const PROXY_HEAD_START_MS = 3000;

/**
 * `slots down`: stops and removes the site's PM2 apps, and nobody else's.
 *
 * @throws SlotsError `NOT_UP` when this PM2 runs no app of the site, and the site's controller answers nevertheless
 */
export async function down(config: Config, paths: SitePaths): Promise<void> {
  const stopped = isDaemonRunning() ? await withPm2((pm2) => stopApps(pm2, config, paths)) : 0;
  const elsewhere = stopped > 0 ? null : await controllerPid(paths.controlSocket);
  if (elsewhere !== null) {
    throw new SlotsError(
      'NOT_UP',
      `${config.name} runs (controller ${elsewhere}), and not under the PM2 in ${pm2Home()}`,
      { hint: 'set PM2_HOME to what it was when the site was started, and run `slots down` again' },
    );
  }
  console.log(stopped > 0 ? `${config.name} is down` : `${config.name} was not running`);
}

async function withPm2<T>(act: (pm2: Pm2) => Promise<T>): Promise<T> {
  const pm2 = await connectPm2();
  try {
    return await act(pm2);
  } finally {
    pm2.disconnect();
  }
}

/** @returns how many apps were there */
export async function stopApps(pm2: Pm2, config: Config, paths: SitePaths): Promise<number> {
  const known = await pm2.all();
  // Their names may have changed in the config since.
  const running = { ...config, ...startedWith(known, paths) };
  const ours = (['watcher', 'proxy', 'blue', 'green'] as AppRole[]).filter((role) =>
    known.get(appName(running, role))?.some(({ root }) => root === paths.root),
  );
  const remove = (role: AppRole) =>
    ours.includes(role) ? pm2.delete(appName(running, role)) : null;
  // The controller first, or it would start what is being stopped; then the proxy, which needs the slots
  // to finish what it has begun.
  await remove('watcher');
  const proxy = remove('proxy');
  await Promise.race([proxy, delay(PROXY_HEAD_START_MS, undefined, { ref: false })]);
  await Promise.all([proxy, remove('blue'), remove('green')]);
  return ours.length;
}
