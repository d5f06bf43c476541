import { join } from 'node:path';
import { withFileLock } from '../file-lock.ts';
import type { SitePaths } from '../slots/paths.ts';

/**
 * Runs `act` while no other `slots up` of this site does: PM2 has no objection to two apps of one name. The second one
 * waits.
 */
export function withStartLock<T>(paths: SitePaths, act: () => Promise<T>): Promise<T> {
  return withFileLock(join(paths.slots, 'start.lock'), act);
}
