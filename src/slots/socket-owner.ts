import { lstatSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SitePaths } from './paths.ts';

/**
 * Whether the control socket may be spoken to. One that lies in the temp folder, because the site's path is too
 * long for a socket, has a name that anybody can guess and take first.
 */
export function isOwnSocket(paths: SitePaths): boolean {
  if (dirname(paths.controlSocket) === paths.slots) return true;
  try {
    const { uid } = lstatSync(paths.controlSocket);
    return uid === 0 || uid === statSync(paths.slots).uid;
  } catch {
    // Nothing is there to be spoken to.
    return true;
  }
}
