import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { plainText } from '../../plain-text.ts';
import { howToShare, readSiteWrites } from '../../slots/site-writes.ts';
import { type Check, ok, warning } from './check.ts';
import type { Facts } from './facts.ts';

/** What the site writes below its working folder is gone with the next release where that is the release itself. */
export async function checkSiteWrites({ paths, state, config }: Facts): Promise<Check[]> {
  const { releases } = await readSiteWrites(paths);
  const active = state.active && state.slots[state.active].release;
  const [file] = (active && releases.get(active)) || [];
  if (file !== undefined) {
    const message = `the site writes into its release (${plainText(file)}), which the next edit replaces`;
    return [warning('shared', message, howToShare(file, config.entry))];
  }
  if (config.shared.length === 0 && config.worksInRelease) {
    const name = 'a folder that the site writes to belongs in "shared"';
    return [ok('shared', `${config.framework} works in its release: ${name}`)];
  }
  if (config.shared.length === 0) return [];
  return [ok('shared', `every release links to ${config.shared.join(', ')}`)];
}

/** Files that were moved out of releases before those were deleted: somebody has to put them where they belong. */
export async function checkMovedWrites({ paths }: Facts): Promise<Check[]> {
  const entries = await readdir(paths.written, { withFileTypes: true, recursive: true }).catch(
    () => [],
  );
  const files = entries.filter((entry) => entry.isFile());
  const [first] = files;
  if (!first) return [];
  const example = relative(paths.root, join(first.parentPath, first.name));
  const message = `${files.length} files that the site wrote into releases which are gone, such as ${plainText(example)}`;
  return [
    warning(
      'written',
      message,
      'move them to where the site looks for them, then rm -r slots/written',
    ),
  ];
}
