import { lstat } from 'node:fs/promises';
import { SlotsError } from '../../errors.ts';
import { openDigestCache } from '../../slots/digest-cache.ts';
import { type HistoryEntry, mendHistory, readHistory } from '../../slots/history.ts';
import { pointSlot, slotRelease } from '../../slots/link.ts';
import { type SitePaths, slotLink } from '../../slots/paths.ts';
import { readRelease, sourcesOf } from '../../slots/release.ts';
import { setAside } from '../../slots/set-aside.ts';
import { type PerSlot, SLOTS, type Slot } from '../../slots/slot.ts';
import { readSource } from '../../slots/source.ts';
import { EMPTY_STATE, readState, type State, setStateAside } from '../../slots/state.ts';
import type { WatchConfig } from '../../slots/watched.ts';
import type { Logger } from '../log.ts';
import { withoutStandby } from './machine.ts';
import { tellHistory } from './tell-history.ts';

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
  const [blue = null, green = null] = await Promise.all(
    SLOTS.map((slot) => usableRelease(paths, slot)),
  );
  const history = await readHistory(paths).catch(() => []);
  return restored({ blue, green }, history);
}

function restored(releases: PerSlot<string | null>, history: HistoryEntry[]): State {
  const newest = history.findLast(
    ({ outcome }) => outcome === 'promoted' || outcome === 'rolled-back',
  );
  const filled = SLOTS.filter((slot) => releases[slot] !== null);
  // Without a history the newer release: it is the standby only after a rollback.
  const byAge = filled.toSorted((a, b) => ((releases[a] ?? '') < (releases[b] ?? '') ? 1 : -1));
  return {
    ...EMPTY_STATE,
    active: filled.find((slot) => releases[slot] === newest?.release) ?? byAge[0] ?? null,
    slots: { blue: { release: releases.blue }, green: { release: releases.green } },
    // A rollback pauses edits; forgetting that would bring back at once what it took away.
    paused: newest?.outcome === 'rolled-back',
  };
}

async function usableRelease(paths: SitePaths, slot: Slot): Promise<string | null> {
  const id = await slotRelease(paths, slot);
  if (id === null) return null;
  const release = await readRelease(paths, id).catch(() => null);
  return release?.id ?? null;
}

/** A history that cannot be used is set aside, with its name said; what can be read of it goes on. */
export async function recoverHistory(paths: SitePaths, log: Logger): Promise<void> {
  const aside = await mendHistory(paths, new Date());
  if (aside === null) return;
  log.error(
    { event: 'history.set-aside', aside },
    `history.jsonl has lines that are no entries; it is now ${aside}, and what could be read of it goes on`,
  );
}

/**
 * A standby whose release is no longer on the disk is none: nothing may count on it. What is active stays as it
 * is, since its processes may well go on serving.
 */
export async function dropGone(paths: SitePaths, state: State, log: Logger): Promise<State> {
  if (state.promotion) return state;
  let kept = state;
  for (const slot of SLOTS) {
    const { release } = state.slots[slot];
    if (release === null || (await readRelease(paths, release).catch(() => null))) continue;
    const isActive = slot === state.active;
    const then = isActive
      ? 'what runs of it goes on serving, and the next promotion replaces it'
      : `${slot} is no standby any more`;
    log.error(
      { event: 'release.gone', slot, release },
      `${release} is gone from the disk: ${then}`,
    );
    if (isActive) continue;
    kept = withoutStandby(kept, slot);
  }
  return kept;
}

/**
 * A controller killed between writing the state and moving a symlink leaves the two apart; the state wins.
 *
 * @returns whether anything had to be moved
 */
export async function alignLinks(paths: SitePaths, state: State, log: Logger): Promise<boolean> {
  let moved = false;
  for (const slot of SLOTS) {
    const wanted = state.slots[slot].release;
    if ((await slotRelease(paths, slot)) === wanted) continue;
    log.warn({ event: 'slot.realign', slot, release: wanted }, `pointing ${slot} at ${wanted}`);
    await clearWay(paths, slot, log);
    await pointSlot(paths, slot, wanted);
    moved = true;
  }
  return moved;
}

/** Whether the promotion that a killed controller left can go on with its release, or has to build anew. */
export async function isReleaseUsable(
  paths: SitePaths,
  config: WatchConfig,
  { promotion }: State,
): Promise<boolean> {
  if (!promotion?.release) return false;
  const release = await readRelease(paths, promotion.release).catch(() => null);
  if (release === null || promotion.kind !== 'build') return release !== null;
  const { cache } = await openDigestCache(paths.sourceCache);
  const source = await readSource(paths.root, config, cache).catch(() => null);
  return !release.unsettled && source !== null && sourcesOf(release).includes(source.hash);
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
  await tellHistory(paths, last, log);
  log.info({ event: 'history.completed', ...last }, `told of ${last.release} in the history`);
}

/** Keeps what is no symlink under another name: somebody put it there. */
async function clearWay(paths: SitePaths, slot: Slot, log: Logger): Promise<void> {
  const link = slotLink(paths, slot);
  const found = await lstat(link).catch(() => null);
  if (!found || found.isSymbolicLink()) return;
  const aside = await setAside(link, new Date());
  log.error({ event: 'slot.set-aside', slot, aside }, `${link} was no symlink; it is now ${aside}`);
}
