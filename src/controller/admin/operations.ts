import { appName } from '../../config/ecosystem.ts';
import { SlotsError } from '../../errors.ts';
import { newestBuildLog, releaseBuildLog } from '../../slots/build-log.ts';
import { readHistory, withNewest } from '../../slots/history.ts';
import { listReleases, readRelease } from '../../slots/release.ts';
import { SLOTS } from '../../slots/slot.ts';
import type { State } from '../../slots/state.ts';
import { VERSION } from '../../version.ts';
import { fileCertificate, noneOrdered } from '../acme/file-certificate.ts';
import type { Keeper } from '../acme/keeper.ts';
import type { LineFeed } from '../build/line-feed.ts';
import type { Fleet } from '../fleet/api.ts';
import type { HealthMonitor } from '../health/monitor.ts';
import type { MaintenanceSwitch } from '../maintenance.ts';
import type { TrafficCounters } from '../metrics/traffic-counters.ts';
import { pausedInFleet, setPaused } from '../promotion/machine.ts';
import { buildOrder, resolveGoal, restartOrder, rollbackOrder } from '../promotion/order.ts';
import type { Runner } from '../promotion/run.ts';
import type { StageContext } from '../promotion/stages/context.ts';
import type { Inbox } from '../source/inbox.ts';
import type { ControllerEvent, KeptRelease, Operations } from './api.ts';
import { type Status, toStatus } from './status.ts';

export interface OperationParts {
  context: StageContext;
  inbox: Inbox;
  runner: Pick<Runner, 'interrupt'>;
  monitor: HealthMonitor;
  trafficCounters: TrafficCounters;
  maintenance: MaintenanceSwitch;
  /** `null` where no certificates are ordered. */
  keeper: Keeper | null;
  /** Why edits are not promoted, or only late. */
  problem(): string | null;
  buildLines: Pick<LineFeed, 'follow'>;
}

/** The API's operations on the running controller. */
export function createOperations(parts: OperationParts): Operations {
  const { context, inbox } = parts;
  const { store, log } = context;

  const status = () => currentStatus(parts);

  const { fleet } = context;

  const pause = async (paused: boolean, local: boolean) => {
    if (!local) await fleet?.setPaused(paused);
    await store.update((state) =>
      fleet ? pausedInFleet(state, paused, local) : setPaused(state, paused),
    );
    log.info({ event: paused ? 'watcher.pause' : 'watcher.resume' }, paused ? 'paused' : 'resumed');
  };

  return {
    status,
    async promote() {
      if (context.config.fleet?.build === 'never') {
        throw new SlotsError('FLEET_BUILDS_NOT', 'this machine never builds ("fleet.build")', {
          hint: 'promote on a machine that does: this one serves what that publishes',
        });
      }
      const order = buildOrder('promote');
      inbox.order(order);
      return { id: order.id };
    },
    async restart() {
      const order = restartOrder();
      resolveGoal(store.state, order, parts.monitor.isHealthy);
      inbox.order(order);
      return { id: order.id };
    },
    rollback: (release, local = false) => rollback(parts, release, local),
    async purge(what, local = false) {
      if (!local) await fleet?.purge(what);
      const forgotten = await context.workers.purge(what);
      log.info({ event: 'cache.purge', ...what, forgotten }, `forgot ${forgotten} stored answers`);
      return { forgotten };
    },
    certificates: async () => {
      const { proxy } = context.config;
      if (parts.keeper) return parts.keeper.status();
      return fileCertificate(proxy.tls?.cert, context.paths.root);
    },
    async renewCertificates(host) {
      if (!parts.keeper) throw noneOrdered();
      return { results: await parts.keeper.renew(host) };
    },
    pause: (local = false) => pause(true, local),
    async resume(local = false) {
      await pause(false, local);
      inbox.lookForChanges('resume');
    },
    async maintenance(notice, local = false) {
      const page = notice && { ...notice, since: new Date().toISOString() };
      if (!local) await fleet?.setMaintenance(page);
      await parts.maintenance.set({ page, ...(fleet && local && { alone: true }) });
    },
    fleet() {
      if (fleet) return fleet.report();
      throw new SlotsError('NO_FLEET', 'this site stands on one machine: "fleet" is not set', {
        hint: 'docs/fleet.md takes a site from one machine to several',
      });
    },
    releases: () => keptReleases(context),
    history: async (limit) => {
      const told = await readHistory(context.paths);
      return withNewest(told, store.state.last).slice(-limit);
    },
    buildLog: (release) => buildLog(context, release),
    traffic: () => parts.trafficCounters.points(),
    follow(listener, signal) {
      followStatus(context, status, listener, signal);
      parts.buildLines.follow((line) => listener({ type: 'build-line', line }), signal);
    },
  };
}

async function keptReleases({ paths, store }: StageContext): Promise<KeptRelease[]> {
  const releases = await listReleases(paths);
  const { slots } = store.state;
  return releases.map((release) => ({
    ...release,
    slots: SLOTS.filter((slot) => slots[slot].release === release.id),
  }));
}

async function buildLog({ paths }: StageContext, release: string | null): Promise<string> {
  if (release !== null) return releaseBuildLog(paths, release);
  const newest = await newestBuildLog(paths);
  if (newest === null) throw new SlotsError('NO_BUILD', 'nothing has been built yet');
  return newest;
}

async function rollback(
  { context, inbox, runner, monitor }: OperationParts,
  release: string | null,
  local: boolean,
): Promise<{ id: string }> {
  const asked = rollbackOrder(release);
  const resolved = resolveGoal(context.store.state, asked, monitor.isHealthy);
  // A standby that is well serves from memory, whatever became of its files; another one has to be started.
  if (resolved.kind === 'release') await readRelease(context.paths, resolved.release);
  const order = local ? asked : ((await context.fleet?.lead(asked)) ?? asked);
  const live = untilLive(context, order.id);
  inbox.order({ ...order, onRefused: live.refuse });
  runner.interrupt('a rollback was ordered');
  await live.done;
  return { id: order.id };
}

/** Resolves when the promotion has flipped; what is left of it concerns no visitor. */
function untilLive({ store }: StageContext, id: string) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const over = new AbortController();
  const done = promise.finally(() => over.abort());
  store.onChange((state: State) => {
    const { promotion, last } = state;
    if (promotion?.id === id && (promotion.step === 'drain' || promotion.step === 'reload')) {
      resolve();
    }
    if (last?.id !== id) return;
    if (last.outcome === 'failed')
      reject(new SlotsError('ROLLBACK_FAILED', last.error ?? 'failed'));
    else resolve();
  }, over.signal);
  return { done, refuse: reject };
}

async function currentStatus({
  context,
  inbox,
  monitor,
  problem,
  keeper,
}: OperationParts): Promise<Status> {
  const { config, store, workers, pm2 } = context;
  const all = await pm2.all();
  return toStatus(config, store.state, {
    version: VERSION,
    workers: workers.status(),
    instances: {
      blue: all.get(appName(config, 'blue')) ?? [],
      green: all.get(appName(config, 'green')) ?? [],
    },
    healthy: { blue: monitor.isHealthy('blue'), green: monitor.isHealthy('green') },
    pending: inbox.pending(),
    problem: problem(),
    certificates: keeper?.status() ?? null,
    skew: context.archive.size(),
    note: context.source.note(),
    ...(context.fleet && { fleet: fleetStatus(context.fleet) }),
  });
}

function fleetStatus(fleet: Fleet): Status['fleet'] {
  const { group, id, connected, machines } = fleet.report();
  const { epoch, notReady } = fleet.standing();
  const online = machines.filter((machine) => machine.online).length;
  return { group, id, epoch, ready: notReady === null, why: notReady, connected, machines: online };
}

/** One status per change, but never a second one while the first is still being put together. */
function followStatus(
  { store }: StageContext,
  status: () => Promise<Status>,
  listener: (event: ControllerEvent) => void,
  signal: AbortSignal,
): void {
  let busy = false;
  let again = false;
  const tell = async (): Promise<void> => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    const current = await status().catch(() => null);
    busy = false;
    if (signal.aborted) return;
    if (current) listener({ type: 'status', status: current });
    if (again) {
      again = false;
      await tell();
    }
  };
  store.onChange(() => void (signal.aborted || tell()), signal);
}
