/** What a person orders on one machine for all of them, beside a promotion: pausing and resuming edits, and purging. */
import { setPaused } from '../promotion/machine.ts';
import type { Fleet } from './api.ts';
import type { FleetConnection } from './connection.ts';
import type { Core } from './core.ts';

export interface Commands extends Pick<Fleet, 'setPaused' | 'purge'> {
  /** Does what was ordered on another machine, if anything. */
  step(): Promise<void>;
}

/** A purge before the controller's start is done once more if it was so short ago, in milliseconds. */
const MISSED_PURGE_MS = 3_600_000;

export function createCommands(core: Core): Commands {
  const { config, context, link } = core;
  const { store, log, inbox, workers } = context;
  /** The revision of the purge that was done last. */
  let lastPurge: number | null = null;
  /** The connection on which purges have been heard. */
  let purgedOn: FleetConnection | null = null;

  async function followEdits(): Promise<void> {
    const paused = link.view.edits?.value.paused;
    const { fleet } = store.state;
    if (paused === undefined || store.state.paused === paused) return;
    if (fleet?.apart || fleet?.pausedAlone) return;
    await store.update((state) => setPaused(state, paused));
    log.info({ event: paused ? 'watcher.pause' : 'watcher.resume' }, 'as on the other machines');
    if (!paused) inbox.lookForChanges('resume');
  }

  /** What was purged while nobody here heard it is unknown: then all is. */
  async function followPurge(): Promise<void> {
    const { purge } = link.view;
    if (purge === null || purge.revision === lastPurge) return;
    const isKnown = lastPurge !== null;
    lastPurge = purge.revision;
    const { paths, tags, by, at } = purge.value;
    if (by === config.id || (!isKnown && core.serverNow() - at > MISSED_PURGE_MS)) return;
    const wasHeard = isKnown && purgedOn === link.connection();
    await workers.purge(wasHeard ? { paths, tags } : { paths: [], tags: [] });
    log.info({ event: 'cache.purge', paths, tags, by }, `forgot what ${by} has purged`);
  }

  return {
    async step() {
      await followEdits();
      await followPurge();
      purgedOn = link.connection();
    },
    async setPaused(paused) {
      await link.connection().fleet.put('edits', { paused, by: config.id });
    },
    async purge(what) {
      const record = { ...what, by: config.id, at: core.serverNow() };
      await link.connection().fleet.put('purge', record);
    },
  };
}
