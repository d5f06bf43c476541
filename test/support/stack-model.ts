import { createRouter, type Router } from '../../src/proxy/router.ts';
import type { PerSlot, Slot } from '../../src/slots/slot.ts';
import type { Assignment } from '../../src/wire/assignment.ts';

/** What PM2 runs for a slot. `dead` is what it did by itself, `starting` and `stopped` what we did. */
export interface SlotProcess {
  release: string | null;
  status: 'warm' | 'starting' | 'dead' | 'stopped';
  /** Counts its starts. */
  generation: number;
}

export interface ModelWorker {
  /** A lost worker serves on by what it knows, and misses each assignment. */
  connected: boolean;
  router: Router;
  readonly assignment: Assignment;
}

export interface ModelRequest {
  worker: number;
  /** The active slot when the request's head was parsed. */
  meant: Slot;
  /** Where the worker sent it instead, since the active slot was dead. */
  elsewhere: Slot | null;
  slot: Slot;
  generation: number;
}

export type StackModel = ReturnType<typeof createStackModel>;

function createModelWorker(): ModelWorker {
  const router = createRouter();
  return {
    connected: true,
    router,
    get assignment() {
      return router.current();
    },
  };
}

/** Slots' processes, proxy workers and open requests, without any I/O. */
export function createStackModel(workerCount: number, slots: PerSlot<{ release: string | null }>) {
  const running = ({ release }: { release: string | null }): SlotProcess => ({
    release,
    status: release === null ? 'stopped' : 'warm',
    generation: 0,
  });
  const processes = { blue: running(slots.blue), green: running(slots.green) };
  const workers = Array.from({ length: workerCount }, () => createModelWorker());
  let requests: ModelRequest[] = [];

  const take = (worker: ModelWorker, assignment: Assignment) => {
    worker.router.flip(assignment);
  };
  const isHealthy = (slot: Slot) => processes[slot].status === 'warm';

  return {
    processes,
    workers,
    isHealthy,
    requests: () => requests,

    /** Sends to whoever is connected; true once every worker routes by it. */
    assign(assignment: Assignment): boolean {
      for (const worker of workers) if (worker.connected) take(worker, assignment);
      return workers.every((worker) => worker.connected && worker.router.current() === assignment);
    },
    lose(index: number) {
      (workers[index] as ModelWorker).connected = false;
    },
    reconnect(index: number, current: Assignment) {
      const worker = workers[index] as ModelWorker;
      worker.connected = true;
      take(worker, current);
    },
    /** A new process: it knows only what it is told now. */
    restartWorker(index: number, assignment: Assignment) {
      workers[index] = createModelWorker();
      take(workers[index] as ModelWorker, assignment);
      requests = requests.filter(({ worker }) => worker !== index);
    },

    mayRoute: (slot: Slot): boolean =>
      workers.some(({ router }) => router.route() === slot || router.current().slots[slot].warm),

    /** New processes on a release, or none at all. */
    restartSlot(slot: Slot, release: string | null) {
      const generation = processes[slot].generation + 1;
      processes[slot] = { release, status: release === null ? 'stopped' : 'starting', generation };
    },
    listen(slot: Slot) {
      processes[slot] = { ...processes[slot], status: 'warm' };
    },
    die(slot: Slot) {
      processes[slot] = { ...processes[slot], status: 'dead' };
      requests = requests.filter((request) => request.slot !== slot);
    },
    /** PM2 has put a dead slot's processes up again. */
    heal(slot: Slot) {
      const { release, status, generation } = processes[slot];
      if (status !== 'dead') return;
      processes[slot] = { release, status: 'warm', generation: generation + 1 };
    },

    request(index: number) {
      const { router } = workers[index] as ModelWorker;
      const meant = router.route();
      if (meant === null) return;
      const elsewhere = isHealthy(meant) ? null : router.fallback(meant);
      const slot = elsewhere ?? meant;
      if (!isHealthy(slot)) return;
      const { generation } = processes[slot];
      requests.push({ worker: index, meant, elsewhere, slot, generation });
    },
    endRequest(nth: number) {
      requests.splice(nth % Math.max(requests.length, 1), 1);
    },
    inflight: (slot: Slot) => requests.filter((request) => request.slot === slot).length,
    /** The drain's deadline: what is still open is cut. */
    cut(slot: Slot) {
      requests = requests.filter((request) => request.slot !== slot);
    },
  };
}
