import type { Config } from '../../config/schema.ts';

/** What a data plane knows of its fleet by the config. */
export interface FleetSide {
  /** This machine's. */
  id: string;
  /** After so long without a word of the controller this machine is not ready, in milliseconds; `null`: never. */
  fenceMs: number | null;
  /** No visitor sees an older release after a newer one. */
  monotonic: boolean;
}

/** @returns undefined where the site is on one machine only */
export function fleetSide(fleet: Config['fleet']): FleetSide | undefined {
  if (!fleet) return undefined;
  const { id, onPartition, leaseMs, monotonic } = fleet;
  return { id, fenceMs: onPartition === 'fence' ? leaseMs : null, monotonic };
}
