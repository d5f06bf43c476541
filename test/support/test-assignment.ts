import type { Assignment } from '../../src/wire/assignment.ts';
import type { FromWorker } from '../../src/wire/messages.ts';

export function testAssignment(epoch: number, revision = 0): Assignment {
  return {
    epoch,
    revision,
    active: 'blue',
    slots: {
      blue: { release: 'r1', warm: false },
      green: { release: 'r0', warm: true },
    },
  };
}

/** A worker's report of so many open requests. */
export function testReport(inflight: {
  blue: number;
  green: number;
}): Extract<FromWorker, { type: 'report' }> {
  return {
    type: 'report',
    inflight,
    counters: {
      since: 0,
      traffic: [],
      refused: [0, 0, 0, 0, 0, 0],
      upstreamErrors: { blue: 0, green: 0 },
      retries: 0,
      failovers: 0,
    },
  };
}
