import { duration } from '../duration.ts';
import { plainText } from '../plain-text.ts';
import { slotRelease } from '../slots/link.ts';
import type { SitePaths } from '../slots/paths.ts';
import { listReleases } from '../slots/release.ts';
import { SLOTS } from '../slots/slot.ts';
import { ago, table } from './terminal/format.ts';
import { style } from './terminal/style.ts';

/** `slots releases`: what is kept, newest first, and which slots point where. */
export async function releases(paths: SitePaths, options: { json?: boolean }): Promise<void> {
  const kept = await listReleases(paths);
  const links = await Promise.all(
    SLOTS.map(async (slot) => ({ slot, release: await slotRelease(paths, slot) })),
  );
  const slotsOf = (id: string) =>
    links.filter(({ release }) => release === id).map(({ slot }) => slot);
  if (options.json) {
    console.log(
      JSON.stringify(
        kept.map((release) => ({ ...release, slots: slotsOf(release.id) })),
        null,
        2,
      ),
    );
    return;
  }
  if (kept.length === 0) {
    console.log('no release is kept yet; `slots promote` makes one');
    return;
  }
  const rows = kept.map(({ id, createdAt, trigger, buildMs, commit, changed }) => [
    id,
    style('green', slotsOf(id).join(' ')),
    ago(createdAt),
    `built in ${duration(buildMs)}`,
    trigger,
    style('dim', [commit?.slice(0, 7), summary(changed)].filter(Boolean).join(' ')),
  ]);
  console.log(table(rows));
}

/** The ids alone, newest first, for programs. */
export async function listReleaseIds(paths: SitePaths): Promise<void> {
  for (const { id } of await listReleases(paths)) console.log(id);
}

function summary(changed: string[]): string {
  const [path] = changed.filter((path) => path !== '');
  if (path === undefined) return '';
  const first = plainText(path);
  return changed.length > 1 ? `${first} and ${changed.length - 1} more` : first;
}
