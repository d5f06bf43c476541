/** A process that PM2 has lost, since its daemon died, and that visitors still depend on. */
import { existsSync } from 'node:fs';
import type { SitePaths } from './paths.ts';
import { type Owner, type RunSocket, runSocketOwners } from './run-socket.ts';

const LOOK_INTERVAL_MS = 250;

/** How long a successor has to come once PM2 runs the like of a process again, in milliseconds: with fewer of them, some get none. */
const SUCCESSOR_MS = 30_000;

/** How often who else is there is asked, in milliseconds. */
const OTHERS_INTERVAL_MS = 1000;

export interface Orphan {
  paths: Pick<SitePaths, 'slots' | 'run'>;
  /** What it listens at; a successor takes them one by one. */
  sockets: readonly RunSocket[];
  /** Why nobody needs it, given who is there, or `null`. */
  whyUnneeded(others: readonly Owner[]): string | null;
  end(why: string): void;
}

/** Ends the process once a successor has taken each of its sockets, the site has been removed, or nobody needs it. */
export function endWhenUnneeded({ paths, sockets, whyUnneeded, end }: Orphan): void {
  let askedAt = performance.now();
  let isLooking = false;

  const reason = async (): Promise<string | null> => {
    if (!existsSync(paths.slots)) return 'the site is gone';
    if (sockets.length > 0 && sockets.every((socket) => socket.state() === 'taken')) {
      return 'another process has taken over';
    }
    if (performance.now() < askedAt + OTHERS_INTERVAL_MS) return null;
    const owners = await runSocketOwners(paths.run);
    askedAt = performance.now();
    return whyUnneeded(owners.filter(({ pid }) => pid !== process.pid));
  };

  const timer = setInterval(async () => {
    if (isLooking) return;
    isLooking = true;
    const why = await reason();
    isLooking = false;
    if (why === null) return;
    clearInterval(timer);
    end(why);
  }, LOOK_INTERVAL_MS);
}

/**
 * Tells whether something has been so for a while, asked again and again.
 *
 * @param ms how long, in milliseconds
 */
export function lasting(ms: number): (isSo: boolean) => boolean {
  let since: number | null = null;
  return (isSo) => {
    since = isSo ? (since ?? performance.now()) : null;
    return since !== null && performance.now() - since >= ms;
  };
}

/**
 * Tells why nobody needs a process that PM2 has lost: PM2 has run others in its place for a while.
 *
 * @param role of their sockets
 * @param what they are, for people
 */
export function whenReplaced(
  role: string,
  what: string,
): (others: readonly Owner[]) => string | null {
  const isLeftOver = lasting(SUCCESSOR_MS);
  return (others) => {
    const hasSuccessors = others.some((other) => other.role === role && !other.isOrphan);
    return isLeftOver(hasSuccessors) ? `PM2 runs ${what} without it` : null;
  };
}
