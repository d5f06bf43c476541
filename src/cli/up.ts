import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { loadFrontConfig } from '../config/front.ts';
import type { Config } from '../config/schema.ts';
import { controllerPid } from '../controller/control-socket.ts';
import { SlotsError } from '../errors.ts';
import { connectPm2, type Pm2 } from '../pm2.ts';
import { daemonNode, isDaemonRunning } from '../pm2-daemon.ts';
import { homePaths } from '../slots/home.ts';
import type { SitePaths } from '../slots/paths.ts';
import { runSocketOwners } from '../slots/run-socket.ts';
import { attachLogs } from './attach-logs.ts';
import { stopApps } from './down.ts';
import { checkHosts, register, unregister } from './front/registration.ts';
import { startFront } from './front/start.ts';
import { isNodeNewEnough, MIN_NODE_TEXT } from './min-node.ts';
import { isEnvironmentStale, renewSlots } from './restart.ts';
import { applyConfig, startedWith } from './running-config.ts';
import { withStartLock } from './start-lock.ts';
import { style } from './terminal/style.ts';
import { printAddresses } from './up/addresses.ts';
import { startMissing } from './up/start-missing.ts';
import { untilLive } from './up/until-live.ts';

/** `slots up`: starts what does not run yet and waits until visitors get an answer. */
export async function up(
  wanted: Config,
  paths: SitePaths,
  options: { foreground?: boolean; return?: number },
): Promise<void> {
  const begun = Date.now();
  const home = homePaths();
  // A bad front.json is said before anything is started; what PM2 has lost comes back all the same.
  if (wanted.hosts && options.return === undefined) loadFrontConfig(home.frontConfig);
  // It may have ended before this process began.
  const isUnwanted = () => options.return !== undefined && process.ppid !== options.return;
  const ours = { daemon: false, apps: false };
  const connect = async () => {
    ours.daemon = !isDaemonRunning();
    await checkDaemonNode();
    return connectPm2();
  };
  // `slots down` ends the controller that wants the site back, and has the lock meanwhile.
  const pm2 = await withStartLock(paths, async () => (isUnwanted() ? null : connect()));
  if (pm2 === null) return;
  const started = startedWith(await pm2.all(), paths);
  const config = { ...wanted, ...started };
  // A site takes other hosts without being started anew.
  if (started?.hosts && wanted.hosts) config.hosts = wanted.hosts;
  if (config.hosts) checkHosts(home, paths, config);
  // What is left of a site that had hosts when the machine crashed.
  else await unregister(home, paths, config.name, 0);
  const lost = await lostController(paths);
  const running = await controllerPid(paths.controlSocket);
  const wasRunning = running !== null && running !== lost;
  const stopOurs = async () => {
    if (!ours.apps) return;
    await stopApps(pm2, config, paths, home);
    await endUnusedDaemon(pm2, ours.daemon);
  };
  const interrupted = options.foreground ? onInterrupt(stopOurs) : null;
  try {
    if (options.foreground) await attachLogs(pm2, config);
    const isNew = await withStartLock(
      paths,
      async () => !isUnwanted() && (await startMissing(pm2, config, paths)),
    );
    if (isUnwanted() && !isNew) return await endUnusedDaemon(pm2, ours.daemon);
    ours.apps = isNew && !wasRunning;
    if (config.hosts) {
      await register(home, paths, config);
      await startFront(pm2, home, loadFrontConfig(home.frontConfig));
    }
    const isReread = started !== null && (await applyConfig(pm2, wanted, started, paths));
    const problem = await untilLive(pm2, config, paths, {
      quiet: options.foreground === true,
      wasRunning,
      lost,
      begun,
    });
    if (problem === null && isReread && (await isEnvironmentStale(pm2, config, paths))) {
      console.log(
        'the environment has changed: both slots get fresh processes, one after the other',
      );
      await renewSlots(paths);
    }
    if (problem === null) printAddresses(config, paths, ours.apps, options.foreground === true);
    else if (!options.foreground) throw problem;
    else
      console.error(`${style('red', problem.message)}\nfix it and save: the watcher builds again`);
    await interrupted;
  } finally {
    pm2.disconnect();
  }
}

async function endUnusedDaemon(pm2: Pm2, isOurs: boolean): Promise<void> {
  if (isOurs && (await pm2.all()).size === 0) await pm2.killDaemon();
}

/** Cluster apps run on the daemon's Node, whatever the command line runs on. */
async function checkDaemonNode(): Promise<void> {
  const node = daemonNode();
  if (node === null) return;
  const { stdout } = await promisify(execFile)(node, ['--version']).catch(() => ({ stdout: '' }));
  if (stdout === '' || isNodeNewEnough(stdout)) return;
  throw new SlotsError(
    'DAEMON_NODE_OLD',
    `the PM2 daemon that runs already uses Node ${stdout.trim()}, and slots needs ${MIN_NODE_TEXT} or later`,
    { hint: 'end it with `pm2 kill`, or give slots a daemon of its own with PM2_HOME=<folder>' },
  );
}

async function lostController({ run }: SitePaths): Promise<number | null> {
  const [owner] = await runSocketOwners(run, 'watcher');
  return owner?.isOrphan ? owner.pid : null;
}

/** Resolves once Ctrl-C has come and what it should stop has stopped. A second Ctrl-C does not wait. */
function onInterrupt(stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const begin = () => {
      process.once('SIGINT', () => process.exit(130));
      console.log('\nstopping …');
      stop().then(resolve, reject);
    };
    process.once('SIGINT', begin);
    process.once('SIGTERM', begin);
  });
}
