/** An order for a promotion, and what it comes to when its turn has come: pure. */
import { randomUUID } from 'node:crypto';
import { SlotsError } from '../../errors.ts';
import type { Slot } from '../../slots/slot.ts';
import type { Promotion, State } from '../../slots/state.ts';
import type { Trigger } from '../../slots/trigger.ts';
import { idleSlot, liveRelease, standbyRelease } from './roles.ts';

/** The goal of an order. */
export type Goal =
  /** The watched files as they are when the build begins. */
  | { kind: 'build'; release: null }
  /** A kept release. */
  | { kind: 'release'; release: string }
  /** What visitors see, in fresh processes; its release is known when the order's turn has come. */
  | { kind: 'restart'; release: null }
  /** The standby's release; `null` until the order's turn has come. */
  | { kind: 'standby'; release: string | null };

export type Order = Goal & {
  /** The promotion's id to be. */
  id: string;
  trigger: Trigger;
  /** The fleet's promotion that this is a part of. */
  fleet?: Promotion['fleet'];
  /** Told why, when the state has changed so that the order makes no sense any more. */
  onRefused?: (error: Error) => void;
};

/** A goal that a promotion can begin with: a rollback knows its release. */
export type ResolvedGoal =
  | { kind: 'build'; release: null }
  | { kind: 'release' | 'standby'; release: string };

export function buildOrder(trigger: Trigger): Order {
  return { id: randomUUID(), kind: 'build', trigger, release: null };
}

export function restartOrder(): Order {
  return { id: randomUUID(), kind: 'restart', trigger: 'restart', release: null };
}

/** @param release a kept one, or `null` for the standby's */
export function rollbackOrder(release: string | null): Order {
  const goal: Goal = release === null ? { kind: 'standby', release } : { kind: 'release', release };
  return { id: randomUUID(), trigger: 'rollback', ...goal };
}

/**
 * How an order is carried out now. A rollback to a release that the standby has warm is a flip; to a standby
 * that is not well, it is a start of the same release.
 *
 * @throws SlotsError `NO_STANDBY`, `ALREADY_ACTIVE` or `NO_BUILD`
 */
export function resolveGoal(
  state: State,
  goal: Goal,
  isHealthy: (slot: Slot) => boolean,
): ResolvedGoal {
  if (goal.kind === 'build') return { kind: 'build', release: null };
  if (goal.kind === 'restart') return { kind: 'release', release: orNoBuild(liveRelease(state)) };
  const idle = idleSlot(state);
  const standby = standbyRelease(state);
  const release = goal.kind === 'standby' ? standby : goal.release;
  if (release === null) {
    throw new SlotsError('NO_STANDBY', 'there is no standby to roll back to', {
      hint: 'it comes with the second release; `slots releases` lists those kept',
    });
  }
  if (state.active !== null && release === state.slots[state.active].release) {
    throw new SlotsError('ALREADY_ACTIVE', `${release} is what visitors see already`);
  }
  return { kind: release === standby && isHealthy(idle) ? 'standby' : 'release', release };
}

function orNoBuild(release: string | null): string {
  if (release) return release;
  throw new SlotsError('NO_BUILD', 'no release is live yet', {
    hint: 'the first build is running or has failed; `slots status` says which',
  });
}
