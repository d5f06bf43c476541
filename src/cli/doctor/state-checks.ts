import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEntry } from '../../slots/entry.ts';
import { slotRelease } from '../../slots/link.ts';
import { releaseDir } from '../../slots/paths.ts';
import { readRelease } from '../../slots/release.ts';
import { SLOTS } from '../../slots/slot.ts';
import { type Check, ok, problem, warning } from './check.ts';
import type { Facts } from './facts.ts';

export function checkState({ state, stateError }: Facts): Check[] {
  if (stateError) return [problem('state', stateError.message, stateError.hint)];
  if (state.active === null) return [ok('state', 'nothing has been promoted yet')];
  const release = state.slots[state.active].release;
  return [ok('state', `epoch ${state.epoch}, ${state.active} is active with ${release}`)];
}

export function checkMaintenance({ state }: Facts): Check[] {
  const page = state.maintenance?.page;
  if (!page) return [];
  const message = `visitors get a 503 page since ${page.since}`;
  return [warning('maintenance', message, '`slots maintenance off` shows the site again')];
}

/** Without its entry, the active slot serves on until its first restart and never again. */
export async function checkEntries({ paths, state }: Facts): Promise<Check[]> {
  const checks: Check[] = [];
  for (const slot of SLOTS) {
    const id = state.slots[slot].release;
    if (id === null) continue;
    const say = slot === state.active ? problem : warning;
    const release = await readRelease(paths, id).catch(() => null);
    const hint = '`slots promote` makes a new one';
    if (!release) {
      checks.push(say('entry', `${slot}: release ${id} is not on the disk`, hint));
      continue;
    }
    const { kind, path } = parseEntry(release.entry);
    const found = await stat(join(releaseDir(paths, id), 'dist', path)).catch(() => null);
    if (kind === 'static' ? found?.isDirectory() : found?.isFile())
      checks.push(ok('entry', `${slot}: ${id} has ${release.entry}`));
    else checks.push(say('entry', `${slot}: ${id} has no ${release.entry}`, hint));
  }
  return checks;
}

export async function checkLinks({ paths, state, stateError, status }: Facts): Promise<Check[]> {
  // A promotion moves the candidate's link a moment before or after the state.
  if (status?.promotion || stateError) return [];
  const links = await Promise.all(
    SLOTS.map(async (slot) => ({ slot, to: await slotRelease(paths, slot) })),
  );
  return links
    .filter(({ slot, to }) => to !== state.slots[slot].release)
    .map(({ slot, to }) =>
      warning(
        'links',
        `slots/${slot} leads to ${to ?? 'nothing'}, and state.json says ${state.slots[slot].release ?? 'nothing'}`,
        'the controller sets it right when it starts',
      ),
    );
}
