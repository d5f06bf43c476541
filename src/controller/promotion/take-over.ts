/** A controller starts from what the last one left, killed or stopped wherever it was. */
import type { Config } from '../../config/schema.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { listReleases } from '../../slots/release.ts';
import { type State, stageOf, writeState } from '../../slots/state.ts';
import { clearOrphans } from '../build/orphans.ts';
import type { Logger } from '../log.ts';
import type { Inbox } from '../source/inbox.ts';
import { afterRestart, type Recovery } from './machine.ts';
import { buildOrder } from './order.ts';
import {
  alignLinks,
  completeHistory,
  dropGone,
  isReleaseUsable,
  recoverHistory,
  recoverState,
} from './recovery.ts';

/**
 * Puts the disk into the order that the state says; the state is on the disk when it resolves.
 *
 * @throws SlotsError `STATE_UNWRITABLE`
 */
export async function takeOver(paths: SitePaths, config: Config, log: Logger): Promise<Recovery> {
  await clearOrphans(paths, log);
  await recoverHistory(paths, log);
  const found = await recoverState(paths, log);
  const recovery = afterRestart(found, await isReleaseUsable(paths, config, found));
  const state = await dropGone(paths, recovery.state, log);
  await writeState(paths, state);
  await alignLinks(paths, state, log);
  await completeHistory(paths, state, log);
  logRecovery(found, state, log);
  return { ...recovery, state };
}

/** Orders what the last controller did not get to. */
export async function orderLeftOver(
  paths: SitePaths,
  { state, again }: Recovery,
  inbox: Inbox,
): Promise<void> {
  if (again) inbox.order(buildOrder(again));
  // An image brings a release along (`slots build`): it goes live at once, and edits are looked for after that.
  if (state.active === null && state.promotion === null) {
    const [newest] = await listReleases(paths);
    if (newest) inbox.order({ ...buildOrder('start'), kind: 'release', release: newest.id });
  }
  inbox.lookForChanges('start');
}

function logRecovery({ promotion: left }: State, { promotion: now }: State, log: Logger): void {
  if (!left) return;
  const stage = stageOf(left);
  const next = now ? `goes on with ${now.step}` : 'builds again';
  log.info(
    { event: 'promotion.recovered', id: left.id, release: left.release, stage, next },
    `a promotion was interrupted in ${stage}: it ${next}`,
  );
}
