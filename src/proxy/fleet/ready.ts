/** May a load balancer send visitors to this machine? As one worker sees it: pure. */
import type { Assignment } from '../../wire/assignment.ts';

/** Answered by the proxy itself, and only with `fleet`. */
export const READY_PATH = '/.slots/ready';

export interface ReadyFacts {
  /** This machine's in its fleet, by the config. */
  id: string;
  /** What visitors are routed by. */
  assignment: Pick<Assignment, 'active' | 'fleet'>;
  /** Since the controller last said anything, in milliseconds. */
  silentMs: number;
  /** After so long a silence nobody may be sent here (`fleet.onPartition: 'fence'`); `null`: its last word counts. */
  fenceMs: number | null;
}

/** The answer's body. `epoch` and `release` are the fleet's, as far as this machine has followed it. */
export interface Readiness {
  id: string;
  epoch: number;
  release: string | null;
  /** Not there on a machine that is ready. */
  why?: string;
}

export function readiness({ id, assignment, silentMs, fenceMs }: ReadyFacts): Readiness {
  const { fleet, active } = assignment;
  const told = { id, epoch: fleet?.epoch ?? 0, release: fleet?.release ?? null };
  if (active === null) return { ...told, why: 'no release is live here yet' };
  if (!fleet) return { ...told, why: 'the controller has not said yet that it is' };
  if (fleet.notReady !== null) return { ...told, why: fleet.notReady };
  if (fenceMs !== null && silentMs > fenceMs) {
    return { ...told, why: `the controller has been silent for ${Math.round(silentMs / 1000)} s` };
  }
  return told;
}

/** Whether a request asks that, whatever its method is: no such request is for the site. */
export function asksReady(url: string | undefined): boolean {
  if (url === undefined || !url.includes(READY_PATH)) return false;
  const path = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?#]*/i, '');
  return path === READY_PATH || path.startsWith(`${READY_PATH}?`);
}
