/** The controller: the single process that watches, runs promotions and answers the command line. */
import { join } from 'node:path';
import type { FleetConfig } from '../config/fleet-schema.ts';
import type { Config } from '../config/schema.ts';
import { loadRunningConfig } from '../config/started.ts';
import { endProcess } from '../end-process.ts';
import { messageOf, SlotsError } from '../errors.ts';
import { connectPm2 } from '../pm2.ts';
import { daemonEnvironment } from '../pm2-environment.ts';
import { homeVariable } from '../slots/home.ts';
import { type SitePaths, sitePaths } from '../slots/paths.ts';
import { runSocketOwners, takeRunSocket } from '../slots/run-socket.ts';
import { siteRoot } from '../slots/site-root.ts';
import { SLOTS } from '../slots/slot.ts';
import { writeState } from '../slots/state.ts';
import type { FleetStanding } from '../wire/assignment.ts';
import { openKeeper } from './acme/open.ts';
import { createChallenges } from './acme/proving.ts';
import { lockHost } from './admin/open.ts';
import { createOperations } from './admin/operations.ts';
import { serveApi } from './admin/serve.ts';
import { createLineFeed } from './build/line-feed.ts';
import { bringPm2Back, PM2_GONE } from './comeback.ts';
import type { Fleet } from './fleet/api.ts';
import { createHealthMonitor } from './health/monitor.ts';
import { createStartup } from './health/startup.ts';
import { createLog } from './log.ts';
import { createMaintenanceSwitch } from './maintenance.ts';
import { createTrafficCounters } from './metrics/traffic-counters.ts';
import { keepLinks } from './promotion/link-keeper.ts';
import { endingLost } from './promotion/lost-instances.ts';
import { createRunner } from './promotion/run.ts';
import { orderLeftOver, takeOver } from './promotion/take-over.ts';
import { takeSiteLock } from './site-lock.ts';
import { createArchive } from './skew/archive.ts';
import { createInbox } from './source/inbox.ts';
import { createSourceQuestion } from './source/source-question.ts';
import { createWatcher } from './source/watcher.ts';
import { stopWithPm2 } from './stop.ts';
import { createStore } from './store.ts';
import { createAssigner } from './workers/assign.ts';
import { createWorkers, type Workers } from './workers/fleet.ts';
import { serveWorker } from './workers/link.ts';
import { workerProcesses } from './workers/processes.ts';

/** Says which process the controller is, and which daemon started it. */
const SOCKET = 'watcher-0.sock';

/** Of so many reminders one may come late. */
const REMINDERS_PER_LEASE = 4;

const root = siteRoot(process.env.SLOTS_ROOT ?? process.cwd());
const log = createLog('watcher');

try {
  await main(sitePaths(root), loadRunningConfig(root));
} catch (error) {
  const { code, hint } = error as SlotsError;
  // A refusal of the system (EACCES, EROFS, ENOSPC) is no bug of ours, and needs no stack.
  if (!(error instanceof SlotsError) && !/^E[A-Z]+$/.test(code ?? '')) throw error;
  log.fatal({ event: 'controller.refused', code, hint }, messageOf(error));
  process.exit(1);
}

async function main(paths: SitePaths, config: Config): Promise<void> {
  await endLostController(paths);
  const lock = await takeSiteLock(paths, config.ports.admin, lockHost(config));
  const recovery = await takeOver(paths, config, log);
  const store = createStore(recovery.state, (state) => writeState(paths, state));
  const pm2 = await endingLost(await connectPm2(), config, paths);

  const workers = createWorkers(workerProcesses(pm2, config, paths), log);
  const startup = createStartup(config.health.deadlineMs, log);
  const challenges = createChallenges(() => ({
    config,
    workers: () => workers.status().length,
    assign: () => assigner.assign(),
  }));
  let fleet: Fleet | undefined;
  const { fleet: asked } = config;
  const assigner = createAssigner(store, workers, startup.isOver, log, {
    fleet: asked && (() => fleet?.standing() ?? unready(asked)),
    challenges: challenges.current,
    flipAt: () => fleet?.flipAt() ?? null,
  });
  const keeper = await openKeeper(config, paths, challenges, log);
  const monitor = createHealthMonitor(config, paths, store, assigner, startup, log);

  const inbox = createInbox(() => store.state.paused, config.debounceMs);
  const watcher = createWatcher(root, config, inbox.edited, log);
  const source = createSourceQuestion({ config, paths, store, log }, inbox);
  const buildLines = createLineFeed();
  const archive = createArchive({ config, paths, store, log });
  const alone = { config, paths, store, workers, pm2, log, inbox, source, archive, buildLines };
  const maintenance = createMaintenanceSwitch(store, assigner.assign, log);
  // Only where it is asked for: NATS's client is not loaded otherwise.
  if (config.fleet) {
    const { createFleet } = await import('./fleet/fleet.ts');
    const onStanding = assigner.assignSoon;
    fleet = createFleet({ config: config.fleet, context: alone, maintenance, onStanding });
  }
  const context = { ...alone, fleet };
  const runner = createRunner(context, assigner, monitor.isHealthy);

  const startedAt = Date.now() - process.uptime() * 1000;
  const trafficCounters = createTrafficCounters(startedAt, config.keep + SLOTS.length);
  let isLost = false;
  const problem = () =>
    isLost ? PM2_GONE : (fleet?.report().problem ?? source.problem() ?? watcher.problem());
  const parts = {
    context,
    inbox,
    runner,
    monitor,
    trafficCounters,
    buildLines,
    problem,
    maintenance,
    keeper,
  };
  const operations = createOperations(parts);
  await serveApi(lock, { ...context, ...parts, operations }, (socket, pid) =>
    serveWorker(socket, pid, workers, log, trafficCounters.add),
  );
  log.info({ event: 'controller.ready', root, epoch: store.state.epoch }, 'controller ready');
  const env = { ...daemonEnvironment(process.ppid), ...homeVariable() };
  const onLost = () => {
    isLost = true;
    pm2.lose();
    return bringPm2Back(paths, env, log);
  };
  stopWithPm2({ paths, store, log, onLost, beforeEnd: async () => fleet?.stop() });
  await takeRunSocket(join(paths.run, SOCKET), (socket) => socket.destroy()).catch((error: Error) =>
    log.warn({ event: 'controller.no-socket', error: error.message }),
  );

  archive.start();
  assigner.assignSoon();
  fleet?.start();
  remindFenced(config, workers);
  await watcher.start();
  await orderLeftOver(paths, recovery, inbox);
  await Promise.all([runner.run(), monitor.run(), keepLinks(context), keeper?.run()]);
}

function unready({ id }: FleetConfig): FleetStanding {
  return { id, epoch: 0, release: null, notReady: 'it has just started' };
}

/** A worker with a fence calls its machine not ready when it has heard nothing for `fleet.leaseMs`. */
function remindFenced({ fleet }: Config, workers: Workers): void {
  if (fleet?.onPartition !== 'fence') return;
  setInterval(() => workers.repeat(), fleet.leaseMs / REMINDERS_PER_LEASE);
}

/** One whose daemon has died has the site's lock until another one asks for it. */
async function endLostController({ run }: SitePaths): Promise<void> {
  const lost = (await runSocketOwners(run, 'watcher')).filter(({ isOrphan }) => isOrphan);
  await Promise.all(lost.map(({ pid }) => endProcess(pid)));
}
