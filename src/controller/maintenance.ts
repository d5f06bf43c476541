/** Visitors get a page in place of the site, or the site again. */
import { isDeepStrictEqual } from 'node:util';
import type { Maintenance, MaintenancePage, State } from '../slots/state.ts';
import type { Logger } from './log.ts';
import type { Store } from './store.ts';

export interface MaintenanceSwitch {
  /** Resolves when every worker goes by it. */
  set(next: Maintenance): Promise<void>;
}

/** @param assign tells every worker what the state says, and resolves when they go by it */
export function createMaintenanceSwitch(
  store: Store,
  assign: () => Promise<void>,
  log: Logger,
): MaintenanceSwitch {
  return {
    async set(next) {
      await store.update((state) => withMaintenance(state, next));
      const { page, alone = false } = next;
      if (page) log.info({ event: 'maintenance.on', ...page, alone }, 'visitors get a page');
      else log.info({ event: 'maintenance.off', alone }, 'visitors see the site again');
      await assign();
    },
  };
}

/** Nothing is kept of usual times. */
export function withMaintenance(state: State, next: Maintenance): State {
  const { maintenance: _, ...rest } = state;
  return next.page === null && !next.alone ? rest : { ...rest, maintenance: next };
}

/**
 * What this machine is to do by its fleet's word.
 *
 * @param said `undefined`: the fleet has none
 * @returns `null`: nothing
 */
export function maintenanceByFleet(
  { maintenance }: Pick<State, 'maintenance'>,
  said: MaintenancePage | null | undefined,
): Maintenance | null {
  if (said === undefined || maintenance?.alone) return null;
  return isDeepStrictEqual(maintenance?.page ?? null, said) ? null : { page: said };
}
