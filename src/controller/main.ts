/** The controller: the single process that watches, runs promotions and answers the command line. */
import { EventEmitter } from 'node:events';
import type { RequestListener } from 'node:http';
import { appName } from '../config/ecosystem.ts';
import type { Config } from '../config/schema.ts';
import { configHash, loadRunningConfig } from '../config/started.ts';
import { messageOf, SlotsError } from '../errors.ts';
import { connectPm2 } from '../pm2.ts';
import { CONFIG_HEADER } from '../slots/headers.ts';
import { type SitePaths, sitePaths } from '../slots/paths.ts';
import { listReleases } from '../slots/release.ts';
import { SLOTS } from '../slots/slot.ts';
import { type State, stageOf, writeState } from '../slots/state.ts';
import { createApp } from './admin/app.ts';
import { lockHost, openAdmin } from './admin/open.ts';
import { createOperations } from './admin/operations.ts';
import { clearOrphans } from './build/orphans.ts';
import { listenOnControlSocket } from './control-socket.ts';
import { createHealthMonitor } from './health/monitor.ts';
import { createStartup } from './health/startup.ts';
import { createLog } from './log.ts';
import { createTrafficCounters } from './metrics/traffic-counters.ts';
import { keepLinks } from './promotion/link-keeper.ts';
import { afterRestart } from './promotion/machine.ts';
import { buildOrder } from './promotion/order.ts';
import {
  alignLinks,
  completeHistory,
  dropGone,
  isReleaseUsable,
  recoverHistory,
  recoverState,
} from './promotion/recovery.ts';
import { createRunner } from './promotion/run.ts';
import { takeSiteLock } from './site-lock.ts';
import { createInbox, type Inbox } from './source/inbox.ts';
import { createSourceQuestion } from './source/source-question.ts';
import { type Watcher, watchSource } from './source/watcher.ts';
import { createStore, type Store } from './store.ts';
import { createAssigner } from './workers/assign.ts';
import { createWorkers } from './workers/fleet.ts';
import { serveWorker } from './workers/link.ts';

const root = process.env.SLOTS_ROOT ?? process.cwd();
const log = createLog('watcher');

try {
  await main(sitePaths(root), loadRunningConfig(root));
} catch (error) {
  const { code, hint } = error as SlotsError;
  // What the system refuses (EACCES, EROFS, ENOSPC) is no bug of ours either, and needs no stack.
  if (!(error instanceof SlotsError) && !/^E[A-Z]+$/.test(code ?? '')) throw error;
  log.fatal({ event: 'controller.refused', code, hint }, messageOf(error));
  process.exit(1);
}

async function main(paths: SitePaths, config: Config): Promise<void> {
  const admin = await takeSiteLock(paths, config.ports.admin, lockHost(config));
  await clearOrphans(paths, log);
  await recoverHistory(paths, log);
  const found = await recoverState(paths, log);
  const recovery = afterRestart(found, await isReleaseUsable(paths, config, found));
  recovery.state = await dropGone(paths, recovery.state, log);
  await writeState(paths, recovery.state);
  await alignLinks(paths, recovery.state, log);
  await completeHistory(paths, recovery.state, log);
  tellRecovery(found, recovery.state);
  const store = createStore(recovery.state, (state) => writeState(paths, state));

  const pm2 = await connectPm2();
  const workers = createWorkers(
    {
      online: async () =>
        (await pm2.instances(appName(config, 'proxy'))).filter(({ status }) => status === 'online'),
    },
    log,
  );
  const startup = createStartup(config.health.deadlineMs, log);
  const assigner = createAssigner(store, workers, startup.isOver, log);

  const buildLines = new EventEmitter().setMaxListeners(0);
  const inbox = createInbox(() => store.state.paused, config.debounceMs);
  const monitor = createHealthMonitor(config, store, assigner, startup, log);
  const source = createSourceQuestion({ config, paths, store, log }, inbox);
  const onBuildLine = (line: string) => void buildLines.emit('line', line);
  const context = { config, paths, store, workers, pm2, log, inbox, source, onBuildLine };
  const runner = createRunner(context, assigner, monitor.isHealthy);
  const trafficCounters = createTrafficCounters(
    Date.now() - process.uptime() * 1000,
    config.keep + SLOTS.length,
  );
  let watcher: Watcher | null = null;
  const operations = createOperations({
    context,
    inbox,
    runner,
    monitor,
    trafficCounters,
    problem: () => source.problem() ?? watcher?.problem() ?? null,
    onBuildLine(listener, signal) {
      buildLines.on('line', listener);
      signal.addEventListener('abort', () => buildLines.off('line', listener));
    },
  });
  await openAdmin(admin, { ...context, operations, inbox, monitor, trafficCounters });
  const api = createApp(operations);
  await api.ready();
  const hash = configHash(config);
  const answer: RequestListener = (request, response) => {
    response.setHeader(CONFIG_HEADER, hash);
    api.routing(request, response);
  };
  await listenOnControlSocket(paths, answer, (socket, pid) =>
    serveWorker(socket, pid, workers, log, trafficCounters.add),
  );
  log.info({ event: 'controller.ready', root, epoch: store.state.epoch }, 'controller ready');
  stopWithPm2(paths, store);

  assigner.assignSoon();
  watcher = await watchSource(root, config, (path) => inbox.edited(path), log);
  if (recovery.again) inbox.order(buildOrder(recovery.again));
  await orderFirstRelease(paths, store.state, inbox);
  inbox.lookForChanges('start');
  await Promise.all([runner.run(), monitor.run(), keepLinks(context)]);
}

/** What became of the promotion that the last controller left behind. */
function tellRecovery({ promotion: left }: State, { promotion: now }: State): void {
  if (!left) return;
  const next = now ? `goes on with ${now.step}` : 'builds again';
  log.info(
    {
      event: 'promotion.recovered',
      id: left.id,
      release: left.release,
      stage: stageOf(left),
      next,
    },
    `a promotion was interrupted in ${stageOf(left)}: it ${next}`,
  );
}

/** An image brings a release along (`slots build`): it goes live at once, and edits are looked for after that. */
async function orderFirstRelease(paths: SitePaths, state: State, inbox: Inbox): Promise<void> {
  if (state.active !== null || state.promotion) return;
  const [newest] = await listReleases(paths);
  if (newest) inbox.order({ ...buildOrder('start'), kind: 'release', release: newest.id });
}

/**
 * PM2 stops with SIGINT and expects the process to end. The state stays as it is, so that the next
 * controller takes up where this one was; only a build's processes must not outlive it. A daemon that
 * died is seen by its broken channel: without it this process would hold the site's lock for ever.
 */
function stopWithPm2(paths: SitePaths, store: Store): void {
  const stop = async (why: string) => {
    log.info({ event: 'controller.stop', why }, `stopping (${why})`);
    await store.freeze();
    await clearOrphans(paths, log);
    process.exit(0);
  };
  process.once('SIGINT', () => stop('SIGINT'));
  process.once('SIGTERM', () => stop('SIGTERM'));
  process.once('disconnect', () => stop('PM2 is gone'));
}
