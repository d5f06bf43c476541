import { setTimeout as delay } from 'node:timers/promises';
import { SlotsError } from '../../errors.ts';
import { isRunning } from '../../is-running.ts';
import type { PerSlot, Slot } from '../../slots/slot.ts';
import type { Assignment } from '../../wire/assignment.ts';
import { instantNow } from '../../wire/instant.ts';
import type { Counters, FromWorker, ToWorker } from '../../wire/messages.ts';
import type { Logger } from '../log.ts';
import { createFills } from './fills.ts';
import { createPurges, type Purge } from './purges.ts';
import {
  type Connected,
  connectedBy,
  hasAcknowledged,
  openOn,
  overdue,
  type Worker,
} from './worker.ts';

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
  /** Says the current assignment once more, so that workers know that they are not forgotten (`fleet.onPartition: 'fence'`). */
  repeat(): void;
  /** Requests and upgraded connections open on a slot, or `null` while a worker has not counted since its last acknowledgement. */
  inflight(slot: Slot): number | null;
  /** Ends what is still open on a slot. */
  cut(slot: Slot): void;
  /** Has every worker forget stored answers; @returns how many, together */
  purge(what: Purge): Promise<number>;
  /**
   * Has every worker ask the candidate for what visitors have asked of the live release; a worker whose connection breaks
   * meanwhile has no answer by the end of the time.
   *
   * @param withinMs in milliseconds
   * @returns how many URLs were asked for, together
   */
  fillAhead(slot: Slot, withinMs: number): Promise<number>;
  status(): WorkerStatus[];
  /** Resolves at the next report of any worker. */
  nextReport(): Promise<void>;
  /** Calls back when a worker routes by a later epoch than ours: our state is an old one and must catch up. */
  onAhead(listener: (epoch: number) => void): void;
}

export interface WorkerLink {
  receive(message: FromWorker): void;
  leave(): void;
}

export interface WorkerProcesses {
  /** Those that run and may route visitors of this site, connected or not. */
  online(): Promise<{ pid: number }[]>;
  /** Whether one that does not acknowledge may be ended for it. */
  mayEnd(pid: number): Promise<boolean>;
}

export function createWorkers(
  processes: WorkerProcesses,
  log: Logger,
  patience = PATIENCE,
): Workers {
  const workers = new Map<number, Worker>();
  let current: Assignment | null = null;
  let tellAhead: (epoch: number) => void = () => {};
  const purges = createPurges(patience.ackMs);
  const fills = createFills();
  let report = Promise.withResolvers<void>();

  const wake = () => {
    report.resolve();
    report = Promise.withResolvers();
  };

  const forgetDead = () => {
    for (const { pid, phase } of workers.values()) {
      if (phase.name === 'lost' && !isRunning(pid)) workers.delete(pid);
    }
  };

  /** Those too that PM2 runs but that have not connected; a starting one that it runs no more has ended. */
  const look = async (): Promise<void> => {
    const online = new Set((await processes.online()).map(({ pid }) => pid));
    forgetDead();
    for (const { pid, phase } of workers.values()) {
      if (phase.name === 'starting' && !online.has(pid)) workers.delete(pid);
    }
    for (const pid of online) {
      if (workers.has(pid)) continue;
      const dueAt = performance.now() + patience.startMs;
      workers.set(pid, { pid, phase: { name: 'starting' }, dueAt, asked: false });
    }
  };

  /** PM2 starts another one for each that ends. A worker that hangs does not hear the first signal. */
  const end = async (worker: Worker): Promise<void> => {
    const { pid, asked } = worker;
    allow(worker, patience.ackMs);
    if (!(await processes.mayEnd(pid))) {
      log.warn({ event: 'worker.silent', worker: pid }, `worker ${pid} did not acknowledge`);
      return;
    }
    const signal = asked ? 'SIGKILL' : 'SIGINT';
    log.warn(
      { event: 'worker.silent', worker: pid, signal },
      `worker ${pid} did not acknowledge, ending it with ${signal}`,
    );
    worker.asked = true;
    allow(worker, patience.ackMs);
    signalWorker(pid, signal);
  };

  const receive = (phase: Connected, message: FromWorker): void => {
    if (message.type === 'purged') {
      purges.receive(message);
      return;
    }
    if (message.type === 'filled') {
      fills.receive(message);
      return;
    }
    if (message.type === 'ack') {
      const { epoch, revision } = message;
      Object.assign(phase, { epoch, revision, counted: false });
      if (current && epoch > current.epoch) tellAhead(epoch);
    } else {
      const { inflight, counters } = message;
      const isFirst = phase.counters === null;
      Object.assign(phase, { inflight, counters, counted: true });
      if (isFirst && counters.cache !== undefined) purges.repeat(phase.send);
    }
    wake();
  };

  return {
    join(pid, send) {
      const phase = connectedBy(send);
      const dueAt = performance.now() + aheadMs(current) + patience.ackMs;
      const worker = { pid, phase, dueAt, asked: false };
      workers.set(pid, worker);
      if (current) send({ type: 'assignment', assignment: current });
      return {
        receive: (message) => receive(phase, message),
        leave() {
          // It may have come back before its broken connection was noticed.
          if (workers.get(pid)?.phase === phase) {
            const dueAt = performance.now() + patience.ackMs;
            workers.set(pid, { pid, phase: { name: 'lost' }, dueAt, asked: false });
          }
          wake();
        },
      };
    },

    async assign(assignment) {
      current = assignment;
      const ahead = aheadMs(assignment);
      for (const worker of workers.values()) {
        if (worker.phase.name === 'starting') continue;
        if (worker.phase.name === 'connected') {
          worker.phase.send({ type: 'assignment', assignment });
        }
        allow(worker, ahead + patience.ackMs);
      }
      const giveUpAt = performance.now() + ahead + patience.assignMs;
      for (;;) {
        await look();
        const wanted = current;
        const late = [...workers.values()].filter((worker) => !hasAcknowledged(worker, wanted));
        if (late.length === 0) return;
        const now = performance.now();
        if (now > giveUpAt) throw silent(late);
        await Promise.all(overdue(late, wanted, now).map(end));
        await Promise.race([report.promise, delay(LOOK_INTERVAL_MS)]);
      }
    },

    repeat() {
      if (current === null) return;
      for (const { phase } of connected(workers)) {
        phase.send({ type: 'assignment', assignment: current });
      }
    },

    inflight(slot) {
      forgetDead();
      return openOn(workers.values(), slot);
    },

    cut(slot) {
      for (const { phase } of connected(workers)) phase.send({ type: 'cut', slot });
    },

    purge: (what) =>
      purges.order(
        what,
        connected(workers)
          .filter(({ phase }) => phase.counters?.cache !== undefined)
          .map(({ phase }) => phase.send),
      ),

    fillAhead: (slot, withinMs) =>
      fills.order(
        slot,
        withinMs,
        connected(workers)
          .filter(({ phase }) => phase.counters?.cache?.filled !== undefined)
          .map(({ phase }) => phase.send),
      ),

    status: () =>
      connected(workers).map(({ pid, phase: { epoch, inflight, counters } }) => ({
        pid,
        epoch: Math.max(epoch, 0),
        inflight,
        counters,
      })),

    nextReport: () => report.promise,

    onAhead(listener) {
      tellAhead = listener;
    },
  };
}

/** How long before its flip an assignment is sent, in milliseconds. */
function aheadMs(assignment: Assignment | null): number {
  return Math.max(0, (assignment?.flipAt ?? 0) - instantNow());
}

function allow(worker: Worker, ms: number): void {
  worker.dueAt = performance.now() + ms;
}

function connected(workers: ReadonlyMap<number, Worker>) {
  return [...workers.values()].flatMap(({ pid, phase }) =>
    phase.name === 'connected' ? [{ pid, phase }] : [],
  );
}

function silent(workers: Worker[]): SlotsError {
  const pids = workers.map(({ pid }) => pid).join(', ');
  return new SlotsError('WORKERS_SILENT', `proxy workers ${pids} did not acknowledge the flip`);
}

function signalWorker(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone by itself, which is what was wanted.
  }
}
