import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * The one name of a site's folder, absolute and free of links, so that a site reached by a link has the same lock,
 * sockets and PM2 apps as under its own name. A folder that is not there keeps the name it was given.
 */
export function siteRoot(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return resolve(folder);
  }
}
