/** What a machine does about what the fleet wants: pure. */
import type { FleetState } from '../../slots/state.ts';
import type { Desired, FleetCandidate } from './records.ts';

export interface Own {
  id: string;
  /** From state.json: the truth about this machine. */
  fleet: FleetState | undefined;
  /** The release that its visitors get. */
  live: string | null;
  /** The release of a promotion of the fleet that runs or waits here. */
  busyWith: string | null;
  /** A rollback of this machine alone is on its way: it leaves the others behind. */
  goesApart: boolean;
  /** Candidates that could not be prepared here. */
  refused: ReadonlySet<string>;
}

export type Move =
  | { do: 'nothing' }
  /** The store has lost what this machine knows: it gets it back. */
  | { do: 'put back'; fleet: FleetState }
  /** It serves that already, and only counts on. */
  | { do: 'adopt'; epoch: number; release: string; rollback: boolean }
  /** A release of another machine goes live here: with the others, or after them. */
  | {
      do: 'promote';
      release: string;
      epoch: number;
      role: 'member' | 'late';
      rollback: boolean;
      candidate: string | null;
    };

export function nextMove(
  own: Own,
  desired: Desired | null,
  candidate: FleetCandidate | null,
): Move {
  const { fleet } = own;
  const ownEpoch = fleet?.epoch ?? 0;
  const epoch = desired?.epoch ?? 0;
  if (fleet && ownEpoch > epoch) return { do: 'put back', fleet };
  if (fleet?.apart || own.goesApart) return { do: 'nothing' };
  if (desired?.release && !isServed(own, desired)) return towards(own, desired.release, desired);
  if (candidate === null || candidate.withdrawn !== null) return { do: 'nothing' };
  const isNews = candidate.by !== own.id && candidate.epoch > Math.max(epoch, ownEpoch);
  if (!isNews || own.refused.has(candidate.id) || own.busyWith === candidate.release) {
    return { do: 'nothing' };
  }
  return {
    do: 'promote',
    release: candidate.release,
    epoch: candidate.epoch,
    role: 'member',
    rollback: candidate.rollback,
    candidate: candidate.id,
  };
}

function isServed({ fleet, live }: Own, desired: Desired): boolean {
  return fleet?.epoch === desired.epoch && live === desired.release;
}

function towards(own: Own, release: string, desired: Desired): Move {
  const { epoch, rollback } = desired;
  if (own.live === release) return { do: 'adopt', epoch, release, rollback };
  // Its own promotion sees by itself that the fleet has flipped.
  if (own.busyWith === release) return { do: 'nothing' };
  return { do: 'promote', release, epoch, role: 'late', rollback, candidate: null };
}

/** What becomes of a promotion that has prepared this release for this epoch of the fleet. */
export type Verdict = { is: 'waiting' } | { is: 'flip'; at: number } | { is: 'over'; why: string };

export function memberVerdict(
  mine: { release: string; epoch: number },
  desired: Desired | null,
  candidate: FleetCandidate | null,
): Verdict {
  if (desired && desired.epoch >= mine.epoch) {
    return desired.release === mine.release
      ? { is: 'flip', at: desired.flipAt }
      : { is: 'over', why: `the fleet serves ${desired.release} instead` };
  }
  const isMine = candidate?.release === mine.release && candidate.epoch === mine.epoch;
  if (candidate === null || isMine) {
    const why = candidate?.withdrawn;
    return why ? { is: 'over', why: `all machines stay as they are: ${why}` } : { is: 'waiting' };
  }
  return { is: 'over', why: `${candidate.by} promotes ${candidate.release} instead` };
}
