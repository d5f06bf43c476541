import { lasting } from '../slots/orphan.ts';
import type { Owner } from '../slots/run-socket.ts';
import type { Slot } from '../slots/slot.ts';

/** How long no worker of the proxy must have been there until none is left, in milliseconds. */
const ALONE_MS = 5000;

/** How long successors have to come once PM2 runs the site again, in milliseconds: longer than a slow site's start. */
const SUCCESSOR_MS = 30_000;

/** Why nobody needs an instance that PM2 has lost, asked every second with who is there. */
export function whyUnneeded(
  slot: Slot,
  isActive: () => boolean,
): (others: readonly Owner[]) => string | null {
  const isAlone = lasting(ALONE_MS);
  const isLeftOver = lasting(SUCCESSOR_MS);
  return (others) => {
    if (isAlone(!others.some(({ role }) => role === 'proxy' || role === 'front')))
      return 'the site has no proxy';
    const known = others.filter(({ isOrphan }) => !isOrphan);
    const isBack = known.some(({ role }) => role === 'watcher');
    const hasSuccessors = known.some(({ role }) => role === slot || role === `tcp${slot}`);
    // An active slot that PM2 cannot start again is served by what it has lost.
    const left = isLeftOver(isBack && (hasSuccessors || !isActive()));
    return left ? 'PM2 runs the site without it' : null;
  };
}
