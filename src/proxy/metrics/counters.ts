import { type PerSlot, SLOTS, type Slot } from '../../slots/slot.ts';
import { type Counters, LATENCY_BOUNDS_MS, type Traffic } from '../../wire/messages.ts';

/** Releases of one slot that are still counted: the one it serves, and the one that requests may be left on. */
const RELEASES_PER_SLOT = 2;

/** A worker's counters, and where the next answer of each slot is counted. */
export interface WorkerCounters {
  counters: Counters;
  traffic: PerSlot<Traffic>;
  /** From here on what is routed to this slot counts for this release. */
  serve(slot: Slot, release: string | null): void;
}

export function createWorkerCounters(now = Date.now()): WorkerCounters {
  const counters: Counters = {
    since: now,
    traffic: [],
    refused: zeros(6),
    upstreamErrors: { blue: 0, green: 0 },
    retries: 0,
    failovers: 0,
  };
  const [blue, green] = SLOTS.map((slot) => newTraffic(slot, null)) as [Traffic, Traffic];
  const traffic = { blue, green };
  return {
    counters,
    traffic,
    serve(slot, release) {
      const isIt = (each: Traffic) => each.slot === slot && each.release === release;
      const serving = counters.traffic.find(isIt) ?? newTraffic(slot, release);
      const others = counters.traffic.filter((each) => each !== serving);
      const older = others.filter((each) => each.slot === slot).slice(1 - RELEASES_PER_SLOT);
      counters.traffic = others.filter((each) => each.slot !== slot || older.includes(each));
      counters.traffic.push(serving);
      traffic[slot] = serving;
    },
  };
}

/** One answer's head, on the hot path: a few increments and nothing allocated. */
export function countAnswer(traffic: Traffic, status: number, latencyMs: number): void {
  const statusClass = (status / 100) | 0;
  if (statusClass < 6) (traffic.classes[statusClass] as number)++;
  let bucket = 0;
  while (bucket < BUCKETS && latencyMs > (LATENCY_BOUNDS_MS[bucket] as number)) bucket++;
  (traffic.latency[bucket] as number)++;
  traffic.latencySumMs += latencyMs;
}

const BUCKETS = LATENCY_BOUNDS_MS.length;

function newTraffic(slot: Slot, release: string | null): Traffic {
  return { slot, release, classes: zeros(6), latency: zeros(BUCKETS + 1), latencySumMs: 0 };
}

function zeros(length: number): number[] {
  return new Array<number>(length).fill(0);
}
