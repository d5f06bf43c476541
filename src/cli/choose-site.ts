import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CONFIG_FILES } from '../config/load.ts';
import { SlotsError } from '../errors.ts';
import { siteRoot } from '../slots/site-root.ts';

/**
 * The folder of the site that a command is for.
 *
 * @param given by `-C`; else it is the nearest with a config, at or above the current folder
 * @throws SlotsError `USAGE` when what was given is no folder
 */
export function chooseSite(given: string | undefined): string {
  return given === undefined ? siteRoot(nearestSite(process.cwd())) : givenSite(given);
}

/** @throws SlotsError `USAGE` when it is no folder */
export function givenSite(given: string): string {
  if (statSync(given, { throwIfNoEntry: false })?.isDirectory()) return siteRoot(given);
  throw new SlotsError('USAGE', `-C: "${given}" is not a folder`);
}

/** The folder with a config at or above this one, so that the command works anywhere inside the site. */
function nearestSite(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (CONFIG_FILES.some((name) => existsSync(join(folder, name)))) return folder;
    if (folder === dirname(folder)) return from;
  }
}
