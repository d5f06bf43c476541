/** The parts that leading and following share. */
import type { FleetConfig } from '../../config/fleet-schema.ts';
import type { MaintenanceSwitch } from '../maintenance.ts';
import type { StageContext } from '../promotion/stages/context.ts';
import type { Lease } from './lease.ts';
import type { Link } from './link.ts';
import type { ReleaseStore } from './releases.ts';
import type { SourceStore } from './source-store.ts';
import type { Sources } from './sources.ts';

export interface Core {
  config: FleetConfig;
  context: Pick<
    StageContext,
    'config' | 'paths' | 'store' | 'log' | 'inbox' | 'source' | 'workers'
  >;
  maintenance: MaintenanceSwitch;
  link: Link;
  lease: Lease;
  releases: ReleaseStore;
  sources: Sources;
  sourceStore: SourceStore;
  /** Resolves when something was heard or changed, or after so many milliseconds. */
  nextChange(ms: number): Promise<void>;
  /** By the server's clock, in milliseconds since 1970. */
  serverNow(): number;
}

/** Of the fleet, that this machine serves. */
export function ownEpoch({ context }: Pick<Core, 'context'>): number {
  return context.store.state.fleet?.epoch ?? 0;
}

/** Whether the store knows less than this machine: it was wiped, and somebody is about to put back what it had. */
export function isAhead(core: Core): boolean {
  return (core.link.view.desired?.value.epoch ?? 0) < ownEpoch(core);
}

/** Whether all serve something newer than this machine does. */
export function isBehind(core: Core): boolean {
  return (core.link.view.desired?.value.epoch ?? 0) > ownEpoch(core);
}
