/** May a load balancer send visitors here? Pure. */
import type { FleetState } from '../../slots/state.ts';
import type { Desired } from './records.ts';

export interface Facts {
  fleet: FleetState | undefined;
  /** The release that visitors get here. */
  live: string | null;
  /** The active slot died, and visitors get the standby. */
  isFailedOver: boolean;
  /** Another machine has this one's id. */
  refused: string | null;
  /** What the fleet wants, as it was last known. */
  desired: Desired | null;
  /** Now, by the server's clock. */
  serverNow: number;
  /** Since NATS last answered, in milliseconds. */
  silentMs: number;
  leaseMs: number;
  onPartition: 'serve' | 'fence';
}

/** Workers take a moment for a flip, in which nobody need look away. In milliseconds. */
const FLIP_MARGIN_MS = 500;

/** @returns why it is not ready, or `null` */
export function whyNotReady(facts: Facts): string | null {
  const { fleet, live, desired, refused } = facts;
  if (refused !== null) return refused;
  if (live === null) return 'no release is live here yet';
  if (fleet === undefined) return 'the fleet has not agreed on a release yet';
  if (fleet.apart) return 'it was rolled back by itself; `slots resume --local` takes it back';
  if (facts.onPartition === 'fence' && facts.silentMs > facts.leaseMs) {
    return `cut off from NATS for ${Math.round(facts.silentMs / 1000)} s`;
  }
  if (desired && desired.epoch > fleet.epoch && facts.serverNow > desired.flipAt + FLIP_MARGIN_MS) {
    return `it serves ${fleet.release} still, the fleet ${desired.release}`;
  }
  if (facts.isFailedOver) return 'the active slot died, and the standby serves';
  if (live !== fleet.release) return `it serves ${live}, the fleet ${fleet.release}`;
  return null;
}
