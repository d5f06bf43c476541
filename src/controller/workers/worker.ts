/** One worker of the proxy as the controller knows it: a record by pid, and pure questions about it. */
import type { PerSlot, Slot } from '../../slots/slot.ts';
import type { Assignment } from '../../wire/assignment.ts';
import type { Counters, ToWorker } from '../../wire/messages.ts';

export interface Worker {
  readonly pid: number;
  phase: Phase;
  /** Until when it may be silent, in `performance.now()`'s time: then it is ended. */
  dueAt: number;
  /** It was silent and has been asked to end. */
  asked: boolean;
}

export type Phase =
  /** PM2 runs it, and it has not connected yet. */
  | { name: 'starting' }
  | Connected
  /** Its connection broke: until it is back or dead, nobody knows what it routes. */
  | { name: 'lost' };

export interface Connected {
  name: 'connected';
  /** The assignment that it has acknowledged; -1 before its first acknowledgement. */
  epoch: number;
  revision: number;
  inflight: PerSlot<number>;
  counters: Counters | null;
  /** The count was made after the last acknowledgement: what came before may have missed a request. */
  counted: boolean;
  send(message: ToWorker): void;
}

export function connectedBy(send: (message: ToWorker) => void): Connected {
  const inflight = { blue: 0, green: 0 };
  return {
    name: 'connected',
    epoch: -1,
    revision: -1,
    inflight,
    counters: null,
    counted: false,
    send,
  };
}

export function hasAcknowledged({ phase }: Worker, { epoch, revision }: Assignment): boolean {
  return phase.name === 'connected' && phase.epoch === epoch && phase.revision === revision;
}

/** Those that have had their time to acknowledge and have not. */
export function overdue(workers: Iterable<Worker>, assignment: Assignment, now: number): Worker[] {
  return [...workers].filter(
    (worker) => now > worker.dueAt && !hasAcknowledged(worker, assignment),
  );
}

/** Requests and upgraded connections open on a slot, or `null` while some worker's count is unknown. */
export function openOn(workers: Iterable<Worker>, slot: Slot): number | null {
  let sum = 0;
  for (const { phase } of workers) {
    // It listens only after it has connected.
    if (phase.name === 'starting') continue;
    if (phase.name === 'lost' || !phase.counted) return null;
    sum += phase.inflight[slot];
  }
  return sum;
}
