import fs from 'node:fs';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import type { SitePaths } from '../slots/paths.ts';

const LOOK_INTERVAL_MS = 100;

/** A lock that was not renewed for so long is of a process that died, in milliseconds. It is renewed in half of it. */
const STALE_MS = 5000;

/**
 * Runs `act` while no other `slots up` of this site does: PM2 has no objection to two apps of one name. The second one
 * waits.
 */
export async function withStartLock<T>(paths: SitePaths, act: () => Promise<T>): Promise<T> {
  await fs.promises.mkdir(paths.slots, { recursive: true });
  const release = await lock(paths.slots, {
    lockfilePath: join(paths.slots, 'start.lock'),
    stale: STALE_MS,
    retries: {
      forever: true,
      factor: 1,
      minTimeout: LOOK_INTERVAL_MS,
      maxTimeout: LOOK_INTERVAL_MS,
    },
    // A process that was stopped for so long (Ctrl-Z) may have company; what it starts then is there already.
    onCompromised: () => {},
    fs,
  });
  try {
    return await act();
  } finally {
    // Refused when the lock is not ours any more.
    await release().catch(() => {});
  }
}
