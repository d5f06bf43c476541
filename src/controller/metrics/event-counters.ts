import type { Outcome } from '../../config/admin-schema.ts';
import type { LastPromotion, Stage } from '../../slots/state.ts';
import { STAGES } from '../../slots/state.ts';

/** Upper bounds of the stage durations' buckets, in seconds. */
export const STAGE_BOUNDS_S = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** Counts of what has happened since the controller started. */
export interface EventCounters {
  promotions: Record<Outcome, number>;
  /** Per stage: one count for each bound, then one for what took longer; and all together, in seconds. */
  stages: Record<Stage, { counts: number[]; sum: number }>;
  notifications: { sent: number; failed: number };
  pushes: { deployed: number; paused: number; unchanged: number; refused: number };
}

export function createEventCounters(): EventCounters {
  const stage = () => ({ counts: new Array<number>(STAGE_BOUNDS_S.length + 1).fill(0), sum: 0 });
  return {
    promotions: { promoted: 0, failed: 0, 'rolled-back': 0 },
    stages: Object.fromEntries(STAGES.map((name) => [name, stage()])) as EventCounters['stages'],
    notifications: { sent: 0, failed: 0 },
    pushes: { deployed: 0, paused: 0, unchanged: 0, refused: 0 },
  };
}

export function countPromotion(
  eventCounters: EventCounters,
  { outcome, durationsMs }: LastPromotion,
): void {
  eventCounters.promotions[outcome]++;
  for (const name of STAGES) {
    const ms = durationsMs[name];
    if (ms === undefined) continue;
    const { counts } = eventCounters.stages[name];
    const bucket = STAGE_BOUNDS_S.findIndex((bound) => ms / 1000 <= bound);
    const index = bucket === -1 ? STAGE_BOUNDS_S.length : bucket;
    counts[index] = (counts[index] ?? 0) + 1;
    eventCounters.stages[name].sum += ms / 1000;
  }
}
