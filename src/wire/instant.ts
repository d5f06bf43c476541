/**
 * The machine's monotonic clock, in milliseconds: the same for all its processes (CLOCK_MONOTONIC), and moved by nobody who sets
 * the time. `performance.now()` begins anew in each process.
 */
export function instantNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
