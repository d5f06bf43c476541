import { setTimeout as delay } from 'node:timers/promises';
import { SlotsError } from '../../errors.ts';
import type { PerSlot, Slot } from '../../slots/slot.ts';
import type { Assignment } from '../../wire/assignment.ts';
import type { Counters, FromWorker, ToWorker } from '../../wire/messages.ts';
import type { Logger } from '../log.ts';

/** How long workers may take to acknowledge, in milliseconds. */
const PATIENCE = {
  /** From what a worker is sent to its acknowledgement; one that is late is ended, and PM2 starts another. */
  ackMs: 2000,
  /** One that has never connected is starting until then: on a busy machine Node alone takes seconds for that. */
  startMs: 10_000,
  /** After so long, and so many restarts, the flip has failed. */
  assignMs: 20_000,
};

const LOOK_INTERVAL_MS = 100;

export interface WorkerStatus {
  pid: number;
  epoch: number;
  inflight: PerSlot<number>;
  counters: Counters | null;
}

export interface Workers {
  /** A worker has connected; it gets the current assignment at once. Returns what to do with its messages. */
  join(pid: number, send: (message: ToWorker) => void): WorkerLink;
  /**
   * Sends an assignment to every worker and resolves when all have acknowledged it, or the one that has
   * taken its place meanwhile; those too that PM2 runs but that are not connected.
   *
   * @throws SlotsError `WORKERS_SILENT` when some never do
   */
  assign(assignment: Assignment): Promise<void>;
  /** Requests and upgraded connections open on a slot, or `null` while a worker has not counted since its last acknowledgement. */
  inflight(slot: Slot): number | null;
  /** Ends what is still open on a slot. */
  cut(slot: Slot): void;
  status(): WorkerStatus[];
  /** Resolves at the next report of any worker. */
  nextReport(): Promise<void>;
}

export interface WorkerLink {
  receive(message: FromWorker): void;
  leave(): void;
}

interface Worker {
  pid: number;
  epoch: number;
  revision: number;
  inflight: PerSlot<number>;
  counters: Counters | null;
  /** The count was made after the last acknowledgement: what came before may have missed a request. */
  counted: boolean;
  send(message: ToWorker): void;
}

export interface WorkerProcesses {
  /** The proxy's processes that PM2 says are online. */
  online(): Promise<{ pid: number }[]>;
}

/** @param onAhead a worker routes by a later epoch than ours: our state is an old one and must catch up */
export function createWorkers(
  processes: WorkerProcesses,
  onAhead: (epoch: number) => void,
  log: Logger,
  patience = PATIENCE,
): Workers {
  const connected = new Set<Worker>();
  /** Processes whose connection broke: until they come back or die, nobody knows what they route. */
  const lost = new Set<number>();
  /** Until when each may be silent, in `performance.now()`'s time: then it is ended. */
  const due = new Map<number, number>();
  let current: Assignment | null = null;
  /** Silent workers that have been told to stop. */
  const asked = new Set<number>();
  let wake: () => void = () => {};
  let report = new Promise<void>((resolve) => {
    wake = resolve;
  });

  const signal = () => {
    wake();
    report = new Promise((resolve) => {
      wake = resolve;
    });
  };

  const lostAlive = (): number[] => {
    for (const pid of lost) if (!isAlive(pid)) lost.delete(pid);
    return [...lost];
  };

  const acknowledged = (worker: Worker, assignment: Assignment) =>
    worker.epoch === assignment.epoch && worker.revision === assignment.revision;

  const allow = (pid: number, ms: number) => void due.set(pid, performance.now() + ms);

  /** Its pid may be another process's one day. */
  const forget = (pid: number) => {
    due.delete(pid);
    asked.delete(pid);
  };

  /** Pids that have yet to acknowledge: connected ones, and those that PM2 runs but that have not come. */
  const missing = async (assignment: Assignment): Promise<number[]> => {
    const pids = new Set((await processes.online()).map(({ pid }) => pid));
    for (const pid of lostAlive()) pids.add(pid);
    for (const { pid } of connected) pids.add(pid);
    for (const pid of due.keys()) if (!pids.has(pid)) forget(pid);
    for (const pid of pids) if (!due.has(pid)) allow(pid, patience.startMs);
    for (const worker of connected) if (acknowledged(worker, assignment)) pids.delete(worker.pid);
    return [...pids];
  };

  const isOverdue = (pid: number) => performance.now() > (due.get(pid) ?? Infinity);

  /** PM2 starts another one for each that ends. A worker that hangs does not hear the first signal. */
  const endSilent = (pids: number[]): void => {
    for (const pid of pids) {
      const signal = asked.has(pid) ? 'SIGKILL' : 'SIGINT';
      log.warn(
        { event: 'worker.silent', worker: pid, signal },
        `worker ${pid} did not acknowledge, ending it with ${signal}`,
      );
      asked.add(pid);
      allow(pid, patience.ackMs);
      signalWorker(pid, signal);
    }
  };

  return {
    join(pid, send) {
      const worker: Worker = {
        pid,
        send,
        epoch: -1,
        revision: -1,
        inflight: { blue: 0, green: 0 },
        counters: null,
        counted: false,
      };
      connected.add(worker);
      lost.delete(pid);
      allow(pid, patience.ackMs);
      if (current) send({ type: 'assignment', assignment: current });
      return {
        receive(message) {
          if (message.type === 'ack') {
            worker.epoch = message.epoch;
            worker.revision = message.revision;
            worker.counted = false;
            if (current && message.epoch > current.epoch) onAhead(message.epoch);
          } else {
            worker.inflight = message.inflight;
            worker.counters = message.counters;
            worker.counted = true;
          }
          signal();
        },
        leave() {
          connected.delete(worker);
          asked.delete(pid);
          lost.add(pid);
          allow(pid, patience.ackMs);
          signal();
        },
      };
    },

    async assign(assignment) {
      current = assignment;
      for (const worker of connected) {
        worker.send({ type: 'assignment', assignment });
        allow(worker.pid, patience.ackMs);
      }
      for (const pid of lost) allow(pid, patience.ackMs);
      const started = performance.now();
      for (;;) {
        const late = await missing(current);
        if (late.length === 0) return;
        if (performance.now() > started + patience.assignMs) {
          throw new SlotsError(
            'WORKERS_SILENT',
            `proxy workers ${late.join(', ')} did not acknowledge the flip`,
          );
        }
        endSilent(late.filter(isOverdue));
        await Promise.race([report, delay(LOOK_INTERVAL_MS)]);
      }
    },

    inflight(slot) {
      if (lostAlive().length > 0) return null;
      let sum = 0;
      for (const worker of connected) {
        if (!worker.counted) return null;
        sum += worker.inflight[slot];
      }
      return sum;
    },

    cut(slot) {
      for (const worker of connected) worker.send({ type: 'cut', slot });
    },

    status: () =>
      [...connected].map(({ pid, epoch, inflight, counters }) => ({
        pid,
        epoch: Math.max(epoch, 0),
        inflight,
        counters,
      })),

    nextReport: () => report,
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function signalWorker(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone by itself, which is what was wanted.
  }
}
