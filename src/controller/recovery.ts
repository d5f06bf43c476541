import { SlotsError } from '../errors.ts';
import { appendHistory, readHistory } from '../slots/history.ts';
import { pointSlot, slotRelease } from '../slots/link.ts';
import type { SitePaths } from '../slots/paths.ts';
import { readRelease } from '../slots/release.ts';
import { SLOTS, type Slot } from '../slots/slot.ts';
import { readSource } from '../slots/source.ts';
import { EMPTY_STATE, readState, type State, setStateAside } from '../slots/state.ts';
import type { Logger } from './log.ts';

/**
 * The state that this controller starts from. A file that cannot be used is set aside, with its name said,
 * and the state is put together again from the symlinks and the history: what serves goes on serving.
 */
export async function recoverState(paths: SitePaths, log: Logger): Promise<State> {
  try {
    return await readState(paths);
  } catch (error) {
    if (!(error instanceof SlotsError)) throw error;
    const aside = await setStateAside(paths, new Date());
    const state = await stateFromSlots(paths);
    log.error(
      { event: 'state.set-aside', aside, active: state.active },
      `${error.message}; it is now ${aside}, and the slots say that ${state.active ?? 'nothing'} is active`,
    );
    return state;
  }
}

async function stateFromSlots(paths: SitePaths): Promise<State> {
  const [blue, green] = await Promise.all(SLOTS.map((slot) => usableRelease(paths, slot)));
  const slots = { blue: { release: blue ?? null }, green: { release: green ?? null } };
  const history = await readHistory(paths).catch(() => []);
  const newest = history.findLast(
    ({ outcome }) => outcome === 'promoted' || outcome === 'rolled-back',
  );
  const active =
    SLOTS.find((slot) => slots[slot].release !== null && slots[slot].release === newest?.release) ??
    SLOTS.find((slot) => slots[slot].release !== null) ??
    null;
  return { ...EMPTY_STATE, active, slots };
}

async function usableRelease(paths: SitePaths, slot: Slot): Promise<string | null> {
  const id = await slotRelease(paths, slot);
  if (id === null) return null;
  const release = await readRelease(paths, id).catch(() => null);
  return release?.id ?? null;
}

/** A controller killed between writing the state and moving a symlink leaves the two apart; the state wins. */
export async function alignLinks(paths: SitePaths, state: State, log: Logger): Promise<void> {
  for (const slot of SLOTS) {
    const wanted = state.slots[slot].release;
    if ((await slotRelease(paths, slot)) === wanted) continue;
    log.warn({ event: 'slot.realign', slot, release: wanted }, `pointing ${slot} at ${wanted}`);
    await pointSlot(paths, slot, wanted);
  }
}

/** Whether the promotion that a killed controller left can go on with its release, or has to build anew. */
export async function isReleaseUsable(
  paths: SitePaths,
  watch: readonly string[],
  { promotion }: State,
): Promise<boolean> {
  if (!promotion?.release) return false;
  const release = await readRelease(paths, promotion.release).catch(() => null);
  if (release === null || promotion.kind !== 'build') return release !== null;
  const source = await readSource(paths.root, watch).catch(() => null);
  return !release.unsettled && release.sourceHash === source?.hash;
}

/** A controller killed right after a promotion's end has not told of it in the history. */
export async function completeHistory(
  paths: SitePaths,
  { last }: State,
  log: Logger,
): Promise<void> {
  if (!last) return;
  const history = await readHistory(paths);
  if (history.some(({ id }) => id === last.id)) return;
  await appendHistory(paths, last);
  log.info({ event: 'history.completed', ...last }, `told of ${last.release} in the history`);
}
