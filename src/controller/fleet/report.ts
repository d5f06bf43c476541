/** What `slots fleet` shows, from what this machine knows: pure. */
import type { FleetConfig } from '../../config/fleet-schema.ts';
import type { FleetMachine, FleetReport } from './api.ts';
import type { Presence, Seen } from './records.ts';
import { currentBuilder, forgottenMachines, liveMachines, type View } from './view.ts';

export interface ReportFacts {
  config: Pick<FleetConfig, 'group' | 'id' | 'leaseMs' | 'forgetMs'>;
  view: View;
  /** This machine, as it says itself. */
  self: Presence;
  isConnected: boolean;
  problem: string | null;
  paused: boolean;
  /** By this machine's monotonic clock, and by the server's. */
  now: number;
  serverNow: number;
}

export function report(facts: ReportFacts): FleetReport {
  const { config, view, self, isConnected, problem, paused, now } = facts;
  const desired = view.desired?.value;
  return {
    group: config.group,
    id: config.id,
    connected: isConnected,
    problem,
    epoch: desired?.epoch ?? self.epoch,
    release: desired?.release ?? self.release,
    builder: currentBuilder(view, now, config.leaseMs)?.id ?? null,
    paused,
    machines: machines(facts, self),
  };
}

function machines({ config, view, isConnected, now, serverNow }: ReportFacts, self: Presence) {
  const others = isConnected
    ? liveMachines(view, now, config.leaseMs)
        .map(({ presence }) => presence)
        .filter(({ id }) => id !== config.id)
    : [];
  const online = [self, ...others].map((one) => machine(one));
  const forgotten = forgottenMachines(view, serverNow, config.forgetMs);
  const hidden = new Set([...online, ...forgotten.map(({ value }) => value)].map(({ id }) => id));
  const gone = [...view.seen.values()]
    .map(({ value }) => value)
    .filter(({ id }) => !hidden.has(id))
    .map((seen) => silent(seen, serverNow));
  return [...online, ...gone].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function machine({ id, address, epoch, release, notReady, builds, edited, clock }: Presence) {
  const ready = notReady === null;
  const rest = { epoch, release, ready, why: notReady, builds, edited, clock };
  return { id, address, online: true, ...rest } satisfies FleetMachine;
}

function silent({ id, address, epoch, release, at }: Seen, serverNow: number): FleetMachine {
  const seconds = Math.round((serverNow - at) / 1000);
  return {
    id,
    address,
    online: false,
    epoch,
    release,
    ready: false,
    why: `silent; it last said what it serves ${seconds} s ago`,
    builds: false,
    edited: false,
    clock: null,
  };
}
