/** What the sites of one user have in common on this machine: the front that they share. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runFolder } from './paths.ts';
import { siteRoot } from './site-root.ts';

/** Names the folder that is used instead of `~/.slots`. */
export const HOME_VARIABLE = 'SLOTS_HOME';

export interface HomePaths {
  /** `~/.slots`, or what `SLOTS_HOME` names; absolute. */
  home: string;
  /** The front's config. */
  frontConfig: string;
  /** One file for each site that the front serves. */
  sites: string;
  /** Sockets of the front's workers; a short path under the OS temp folder where this one is too long. */
  run: string;
  /** Held while the front is started or stopped, and while a site is registered. */
  lock: string;
}

export function homePaths(
  folder = process.env[HOME_VARIABLE] || join(homedir(), '.slots'),
): HomePaths {
  const home = siteRoot(folder);
  return {
    home,
    frontConfig: join(home, 'front.json'),
    sites: join(home, 'sites'),
    run: runFolder(home),
    lock: join(home, 'front.lock'),
  };
}

/** For a process that is to use the same folder as this one. */
export function homeVariable(): Record<string, string> {
  const folder = process.env[HOME_VARIABLE];
  return folder ? { [HOME_VARIABLE]: folder } : {};
}
