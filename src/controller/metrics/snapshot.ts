import { setTimeout as delay } from 'node:timers/promises';
import { type AppRole, appName } from '../../config/ecosystem.ts';
import type { Config } from '../../config/schema.ts';
import type { Instance, Pm2 } from '../../pm2.ts';
import { daemonMemory } from '../../pm2-daemon.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { listReleases } from '../../slots/release.ts';
import type { PerSlot } from '../../slots/slot.ts';
import type { State } from '../../slots/state.ts';
import type { FleetStanding } from '../../wire/assignment.ts';
import type { Counters } from '../../wire/messages.ts';
import type { Keeper } from '../acme/keeper.ts';
import type { CertificateStatus } from '../acme/status.ts';
import type { Fleet, FleetReport } from '../fleet/api.ts';
import type { HealthMonitor } from '../health/monitor.ts';
import type { Store } from '../store.ts';
import type { Workers } from '../workers/fleet.ts';
import type { EventCounters } from './event-counters.ts';
import type { CounterSums, TrafficCounters } from './traffic-counters.ts';

/** A PM2 that hangs must not take the other metrics with it, in milliseconds. */
const PM2_PATIENCE_MS = 2000;

const ROLES: AppRole[] = ['proxy', 'watcher', 'blue', 'green'];

export interface MetricsParts {
  config: Config;
  paths: SitePaths;
  store: Pick<Store, 'state'>;
  workers: Pick<Workers, 'status'>;
  pm2: Pick<Pm2, 'all'>;
  monitor: Pick<HealthMonitor, 'isHealthy'>;
  inbox: { pending(): number };
  trafficCounters: TrafficCounters;
  keeper: Pick<Keeper, 'status'> | null;
  eventCounters: EventCounters;
  /** Only with `fleet` in the config. */
  fleet?: Pick<Fleet, 'report' | 'standing'> | undefined;
}

/** Everything that one scrape shows, read at one instant. */
export interface Snapshot {
  state: State;
  sums: CounterSums;
  /** Releases that may be a label's value: those that are kept or in a slot. */
  releases: Set<string | null>;
  workers: { inflight: PerSlot<number>; counters: Counters | null }[];
  healthy: PerSlot<boolean>;
  pending: number;
  certificates: CertificateStatus[];
  eventCounters: EventCounters;
  fleet: { report: FleetReport; standing: FleetStanding } | null;
  /** Empty while PM2 does not answer. */
  instances: { role: AppRole; instances: Instance[] }[];
  daemonMemoryBytes: number | null;
}

export async function takeSnapshot(parts: MetricsParts): Promise<Snapshot> {
  const { store, monitor } = parts;
  const [kept, instances] = await Promise.all([listReleases(parts.paths), askPm2(parts)]);
  const { state } = store;
  return {
    state,
    sums: parts.trafficCounters.sums(),
    releases: new Set([
      ...kept.map(({ id }) => id),
      state.slots.blue.release,
      state.slots.green.release,
    ]),
    workers: parts.workers.status(),
    healthy: { blue: monitor.isHealthy('blue'), green: monitor.isHealthy('green') },
    pending: parts.inbox.pending(),
    certificates: parts.keeper?.status() ?? [],
    eventCounters: parts.eventCounters,
    fleet: parts.fleet ? { report: parts.fleet.report(), standing: parts.fleet.standing() } : null,
    instances,
    daemonMemoryBytes: daemonMemory(),
  };
}

async function askPm2({ pm2, config }: MetricsParts): Promise<Snapshot['instances']> {
  const patience = new AbortController();
  const none = delay(PM2_PATIENCE_MS, null, { signal: patience.signal }).catch(() => null);
  const all = await Promise.race([pm2.all().catch(() => null), none]);
  patience.abort();
  if (all === null) return [];
  return ROLES.map((role) => ({ role, instances: all.get(appName(config, role)) ?? [] }));
}
