import type { Counters } from '../slots/wire.ts';

export function createCounters(): Counters {
  return {
    requests: { blue: 0, green: 0 },
    upstreamErrors: { blue: 0, green: 0 },
    retries: 0,
    failovers: 0,
    statusClasses: [0, 0, 0, 0, 0, 0],
  };
}
