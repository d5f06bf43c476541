import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../config/schema.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { otherSlot, type PerSlot, SLOTS, type Slot } from '../../slots/slot.ts';
import type { State } from '../../slots/state.ts';
import type { Logger } from '../log.ts';
import { failBack, failOver } from '../promotion/machine.ts';
import { hasStandby } from '../promotion/roles.ts';
import type { Store } from '../store.ts';
import type { Assigner } from '../workers/assign.ts';
import { tryProbeInstances } from './probe.ts';
import type { Startup } from './startup.ts';
import { judge } from './verdict.ts';

/** Pause between two rounds of probes, in milliseconds. */
const ROUND_INTERVAL_MS = 2000;

/** A slot that is not known to be well is looked at sooner, in milliseconds: a rollback may wait for it. */
const SUSPICION_INTERVAL_MS = 200;

/** Rounds in a row with no healthy answer until a slot counts as dead: one may be a hiccup. */
const DEAD_ROUNDS = 3;

/** Rounds in a row with only healthy answers until visitors go back. */
const WELL_ROUNDS = 2;

export interface HealthMonitor {
  /** Whether the last round found it well; false before the first one and for a slot without a release. */
  isHealthy(slot: Slot): boolean;
  run(): Promise<never>;
}

/** Probes every instance of both slots all the time, and moves visitors off an active slot that is dead. */
export function createHealthMonitor(
  config: Config,
  { run }: Pick<SitePaths, 'run'>,
  store: Store,
  { assign, assignSoon }: Assigner,
  startup: Startup,
  log: Logger,
): HealthMonitor {
  const streaks: PerSlot<number> = { blue: 0, green: 0 };
  /** The release that each streak is about. */
  const counted: PerSlot<string | null> = { blue: null, green: null };
  function noteUp(): void {
    const { active } = store.state;
    if (active === null) return;
    // Not waited for: the workers may be starting too.
    if (startup.endIf({ slot: active, isWell: streaks[active] > 0 })) assignSoon();
  }

  const tell = (error: Error) =>
    log.error({ event: 'slot.move-failed', error: error.message }, error.message);

  async function probeSlot(slot: Slot, release: string): Promise<'well' | 'partly' | 'dead'> {
    const answers = await tryProbeInstances(config, run, slot);
    const verdicts = answers.map((answer) => judge(answer, release));
    if (verdicts.every(({ is }) => is === 'well')) return 'well';
    return verdicts.some(({ is }) => is === 'well') ? 'partly' : 'dead';
  }

  /** Counts rounds up while well and down while dead, so that one number tells how long it has been so. */
  async function look(slot: Slot, state: State): Promise<void> {
    const { release } = state.slots[slot];
    if (release !== counted[slot]) {
      counted[slot] = release;
      streaks[slot] = 0;
    }
    if (release === null) return;
    const health = await probeSlot(slot, release);
    if (health === 'well') streaks[slot] = Math.max(1, streaks[slot] + 1);
    else if (health === 'dead') streaks[slot] = Math.min(-1, streaks[slot] - 1);
    else streaks[slot] = 1;
  }

  /** Only between promotions: during one, the state machine decides who is active. */
  async function decide(): Promise<void> {
    const { state } = store;
    const { active, failedOverFrom } = state;
    if (active === null || !startup.isOver() || !hasStandby(state)) return;
    const other = otherSlot(active);
    if (streaks[active] <= -DEAD_ROUNDS && streaks[other] > 0) {
      await move(failOver, { event: 'slot.fail-over', from: active, to: other });
    } else if (failedOverFrom === other && streaks[other] >= WELL_ROUNDS) {
      await move(failBack, { event: 'slot.fail-back', from: active, to: other });
    }
  }

  async function move(
    change: (state: State) => State,
    what: { event: string; from: Slot; to: Slot },
  ): Promise<void> {
    const { epoch } = store.state;
    const moved = await store.update((state) => (hasStandby(state) ? change(state) : state));
    if (moved.epoch === epoch) return;
    log.warn(what, `visitors moved from ${what.from} to ${what.to}`);
    await assign();
  }

  /** Not over a flip: whoever is active now is looked at at once. */
  async function pause(ms: number, epoch: number): Promise<void> {
    const over = new AbortController();
    const stopAtFlip = (state: State) => state.epoch !== epoch && over.abort();
    store.onChange(stopAtFlip, over.signal);
    stopAtFlip(store.state);
    await delay(ms, undefined, { signal: over.signal }).catch(() => {});
    over.abort();
  }

  return {
    isHealthy: (slot) => streaks[slot] > 0,
    async run() {
      let { epoch } = store.state;
      for (;;) {
        const before = store.state;
        // That a candidate did not answer while it started says nothing about the active slot it is now.
        if (before.epoch !== epoch)
          for (const slot of SLOTS) streaks[slot] = Math.max(0, streaks[slot]);
        epoch = before.epoch;
        await Promise.all(SLOTS.map((slot) => look(slot, before)));
        noteUp();
        if (isSameScene(before, store.state)) await decide().catch(tell);
        const { slots } = store.state;
        const suspicious = SLOTS.some((slot) => slots[slot].release !== null && streaks[slot] <= 0);
        await pause(suspicious ? SUSPICION_INTERVAL_MS : ROUND_INTERVAL_MS, epoch);
      }
    },
  };
}

/** A round that began before a flip, or within a promotion that is over, has seen other roles. */
function isSameScene(before: State, now: State): boolean {
  return before.epoch === now.epoch && before.promotion?.id === now.promotion?.id;
}
