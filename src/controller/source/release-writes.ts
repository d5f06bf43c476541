import { dirname } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { plainText } from '../../plain-text.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { howToShare, readSiteWrites } from '../../slots/site-writes.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store.ts';

/** How often it is looked for what sites write into their releases, in milliseconds. */
const LOOK_INTERVAL_MS = 2000;

export interface ReleaseWrites {
  /** Names what is lost with the active release, in one line, or `null`. */
  problem(): string | null;
}

/** Tells of each folder of a release that the site writes into: that is gone with the next edit. */
export function watchReleaseWrites(
  paths: SitePaths,
  { entry }: Pick<Config, 'entry'>,
  store: Pick<Store, 'state'>,
  log: Logger,
): ReleaseWrites {
  const told = new Set<string>();
  let written: ReadonlyMap<string, readonly string[]> = new Map();

  const look = async () => {
    written = (await readSiteWrites(paths)).releases;
    for (const [release, files] of written) {
      for (const file of files) {
        const folder = `${release}/${dirname(file)}`;
        if (told.has(folder)) continue;
        told.add(folder);
        log.error({ event: 'release.written', release, file }, lostWith(file, entry));
      }
    }
  };
  setInterval(() => void look().catch(() => {}), LOOK_INTERVAL_MS).unref();

  return {
    problem() {
      const { active, slots } = store.state;
      const release = active && slots[active].release;
      const [file] = (release && written.get(release)) || [];
      return file === undefined ? null : lostWith(file, entry);
    },
  };
}

function lostWith(file: string, entry: string): string {
  return `the site writes into its release (${plainText(file)}): the next edit leaves that behind; ${howToShare(file, entry)}, or write below the site's own folder`;
}
