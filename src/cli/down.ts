import { setTimeout as delay } from 'node:timers/promises';
import { type AppRole, appName, KILL_MARGIN_MS } from '../config/ecosystem.ts';
import type { Config } from '../config/schema.ts';
import { controllerPid } from '../controller/control-socket.ts';
import { endProcess } from '../end-process.ts';
import { SlotsError } from '../errors.ts';
import { connectPm2, type Pm2 } from '../pm2.ts';
import { isDaemonRunning, pm2Home } from '../pm2-daemon.ts';
import { type HomePaths, homePaths } from '../slots/home.ts';
import type { SitePaths } from '../slots/paths.ts';
import { runSocketOwners } from '../slots/run-socket.ts';
import { type SiteProcess, siteProcesses } from '../slots/site-processes.ts';
import { unregister } from './front/registration.ts';
import { startedWith } from './running-config.ts';
import { withStartLock } from './start-lock.ts';

/** Time that the proxy gets to finish open requests before the slots go too, in milliseconds. */
const PROXY_HEAD_START_MS = 3000;

/** In the order in which they are ended: the roles that the parts of slots have a socket under. */
const ORPHANS: Record<SiteProcess['part'], RegExp> = {
  controller: /^watcher$/,
  proxy: /^(proxy|redirect)$/,
  instance: /^(tcp)?(blue|green)$/,
};

/**
 * `slots down`: stops and removes the site's PM2 apps, and nobody else's.
 *
 * @throws SlotsError `NOT_UP` when this PM2 runs no app of the site, and the site's controller answers nevertheless
 */
export async function down(config: Config, paths: SitePaths): Promise<void> {
  const home = homePaths();
  const stopped = await withStartLock(paths, async () => {
    const apps = isDaemonRunning() ? await withPm2((pm2) => stopApps(pm2, config, paths, home)) : 0;
    // Where no app of it runs, it is registered still after a crash of the machine.
    await unregister(home, paths, config.name, config.drainTimeoutMs);
    return apps + (await endOrphans(config, paths));
  });
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

/**
 * Ends what a daemon that died has left behind: the controller first, or it would start a daemon, then the proxy.
 *
 * @returns how many there were
 */
async function endOrphans(config: Config, paths: SitePaths): Promise<number> {
  const owners = (await runSocketOwners(paths.run)).filter(({ isOrphan }) => isOrphan);
  // Those whose successors have their sockets already are seen in /proc alone: they finish what is open.
  const others = (await siteProcesses(paths)).filter(({ hasPm2 }) => !hasPm2);
  const limitMs = config.drainTimeoutMs + KILL_MARGIN_MS;
  const ended = new Set<number>();
  for (const [part, roles] of Object.entries(ORPHANS)) {
    const pids = [
      ...owners.filter(({ role }) => roles.test(role)),
      ...others.filter((process) => process.part === part),
    ].map(({ pid }) => pid);
    await Promise.all([...new Set(pids)].map((pid) => endProcess(pid, limitMs)));
    for (const pid of pids) ended.add(pid);
  }
  return ended.size;
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
export async function stopApps(
  pm2: Pm2,
  config: Config,
  paths: SitePaths,
  home: HomePaths,
): Promise<number> {
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
  const proxy = running.hosts
    ? unregister(home, paths, running.name, running.drainTimeoutMs)
    : remove('proxy');
  await Promise.race([proxy, delay(PROXY_HEAD_START_MS, undefined, { ref: false })]);
  await Promise.all([proxy, remove('blue'), remove('green')]);
  return ours.length;
}
