/** What a person orders on one machine for all of them, beside a promotion: pausing and resuming edits, maintenance, and purging. */
import { maintenanceByFleet } from '../maintenance.ts';
import { setPaused } from '../promotion/machine.ts';
import type { Fleet } from './api.ts';
import type { Core } from './core.ts';
import { toForget } from './forgetting.ts';
import { takeFleetEntry } from './view.ts';

export interface Commands extends Pick<Fleet, 'setPaused' | 'setMaintenance' | 'purge'> {
  /** Does what was ordered on another machine, if anything. */
  step(): Promise<void>;
}

export function createCommands(core: Core): Commands {
  const { config, context, link } = core;
  const { store, log, inbox, workers } = context;
  /** The revision of the purge that was done last; `undefined` until the first look. */
  let done: number | null | undefined;

  async function followEdits(): Promise<void> {
    const paused = link.view.edits?.value.paused;
    const { fleet } = store.state;
    if (paused === undefined || store.state.paused === paused) return;
    if (fleet?.apart || fleet?.pausedAlone) return;
    await store.update((state) => setPaused(state, paused));
    log.info({ event: paused ? 'watcher.pause' : 'watcher.resume' }, 'as on the other machines');
    if (!paused) inbox.lookForChanges('resume');
  }

  async function followMaintenance(): Promise<void> {
    const { state } = store;
    const said = link.view.maintenance?.value.page;
    const next = maintenanceByFleet(state, said);
    if (next !== null) return core.maintenance.set(next);
    const { page, alone } = state.maintenance ?? {};
    if (said !== undefined || !page || alone) return;
    // The store was wiped, and a machine that comes is to know: not over the word of another one.
    const { fleet } = link.connection();
    await fleet.set('maintenance', { page, by: config.id }, null);
  }

  async function followPurge(): Promise<void> {
    const { purge } = link.view;
    const what = toForget(purge, done, { id: config.id, serverNow: core.serverNow() });
    if (what !== null) {
      await workers.purge(what);
      const by = purge?.value.by;
      log.info({ event: 'cache.purge', ...what, by }, `forgot what ${by} has purged`);
    }
    done = purge?.revision ?? null;
  }

  /** Known here at once: the watch may still tell of the word before, which would be followed. */
  async function say(key: 'edits' | 'maintenance', value: object): Promise<void> {
    const revision = await link.connection().fleet.put(key, value);
    takeFleetEntry(link.view, { key, value, revision, createdAt: core.serverNow() });
  }

  return {
    async step() {
      await followEdits();
      await followMaintenance();
      await followPurge();
    },
    setPaused: (paused) => say('edits', { paused, by: config.id }),
    setMaintenance: (page) => say('maintenance', { page, by: config.id }),
    async purge(what) {
      const { fleet } = link.connection();
      const record = { ...what, by: config.id, at: core.serverNow() };
      for (;;) {
        const after = (await fleet.get('purge'))?.revision ?? null;
        if ((await fleet.set('purge', { ...record, after }, after)) !== null) return;
      }
    },
  };
}
