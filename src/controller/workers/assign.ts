import { type Challenge, type FleetStanding, toAssignment } from '../../wire/assignment.ts';
import type { Logger } from '../log.ts';
import { catchUp } from '../promotion/machine.ts';
import { warmSlots } from '../promotion/roles.ts';
import type { Store } from '../store.ts';
import type { Workers } from './fleet.ts';

export interface Assigner {
  /** Tells every worker what the state says now; resolves when all of them route by it. */
  assign(): Promise<void>;
  /** The same where nobody waits for it: what goes wrong is logged. */
  assignSoon(): void;
}

/** What the workers are told besides what the state says. */
export interface AlsoSaid {
  /** Of this machine, to a load balancer. */
  fleet?: (() => FleetStanding) | undefined;
  /** To a CA. */
  challenges?: () => Challenge[];
  /** When to route by it, by `instantNow()`; `null`: at once. */
  flipAt?: () => number | null;
}

/**
 * The sending half of the flip; `router.ts` of the proxy is the other one.
 *
 * @param mayUseStandby whether workers may fall back to the standby at all
 */
export function createAssigner(
  store: Store,
  workers: Workers,
  mayUseStandby: () => boolean,
  log: Logger,
  also: AlsoSaid = {},
): Assigner {
  // Tells two assignments of one epoch apart, so that an acknowledgement is of the newest.
  let revision = 0;

  const assign = () => {
    revision++;
    const warm = mayUseStandby() ? warmSlots(store.state) : { blue: false, green: false };
    const { fleet, challenges } = also;
    const flipAt = also.flipAt?.() ?? null;
    return workers.assign(
      toAssignment(store.state, {
        revision,
        warm,
        ...(flipAt !== null && { flipAt }),
        ...(fleet && { fleet: fleet() }),
        ...(challenges && { challenges: challenges() }),
      }),
    );
  };

  const assignSoon = () => {
    assign().catch((error: Error) => log.error({ event: 'worker.assign', error: error.message }));
  };

  workers.onAhead(async (epoch) => {
    // Workers take no older epoch than they have: a state that was lost goes on counting above theirs.
    await store.update((state) => catchUp(state, epoch));
    assignSoon();
  });
  return { assign, assignSoon };
}
