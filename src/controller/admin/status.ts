import { publicSide } from '../../config/public-side.ts';
import type { Config } from '../../config/schema.ts';
import type { Instance } from '../../pm2.ts';
import { type PerSlot, type Role, SLOTS, type Slot } from '../../slots/slot.ts';
import {
  type LastPromotion,
  type MaintenancePage,
  type Stage,
  type State,
  stageOf,
} from '../../slots/state.ts';
import type { Trigger } from '../../slots/trigger.ts';
import type { CertificateStatus } from '../acme/status.ts';
import { roles } from '../promotion/roles.ts';
import { type CacheSummary, cacheOf } from '../workers/cache-summary.ts';
import type { WorkerStatus } from '../workers/fleet.ts';

/** The output of `slots status --json`; stable. */
export interface Status {
  name: string;
  version: string;
  /** While there is no release yet: the slot that the first one goes to. Its role says that it is not serving. */
  active: Slot;
  epoch: number;
  proxy: {
    port: number;
    /** Only there when visitors come by HTTPS. */
    tls?: true;
    /** Only there for a site that shares a front: its hosts. The port is the front's then. */
    hosts?: string[];
    workers: { pid: number; epoch: number; inflight: PerSlot<number> }[];
  };
  slots: PerSlot<SlotStatus>;
  promotion: null | {
    id: string;
    stage: Stage;
    release: string | null;
    startedAt: string;
    trigger: Trigger;
    /** Of the stages that are done. */
    durationsMs: Partial<Record<Stage, number>>;
  };
  last: Omit<LastPromotion, 'trigger' | 'startedAt'> | null;
  watcher: {
    paths: string[];
    pending: number;
    paused: boolean;
    /** Why edits are not promoted, or only late, in one line; not there while all is well. */
    problem?: string;
    /** What became of the last edit where no promotion shows it, in one line; not there otherwise. */
    note?: string;
  };
  /** Hashed files of earlier releases that are kept for open tabs; not there where `skew` is off. */
  skew?: { files: number; bytes: number };
  /** Certificates that slots orders (`proxy.tls.acme`), as `slots certs --json` has them; not there otherwise. */
  certificates?: CertificateStatus[];
  /** Of this machine in its fleet; not there for a site on one machine. */
  fleet?: {
    group: string;
    id: string;
    /** Counts the fleet's flips; `epoch` counts this machine's. */
    epoch: number;
    ready: boolean;
    /** Why it is not ready. */
    why: string | null;
    /** Whether it hears the others. */
    connected: boolean;
    /** Machines that are there, this one too. */
    machines: number;
  };
  /** Visitors get a page in place of the site; not there otherwise. */
  maintenance?: MaintenancePage;
  /** The release caches of all workers together. */
  cache: CacheSummary;
  /** Visitors were moved off this slot because it died; not there otherwise. */
  failedOverFrom?: Slot;
}

export interface SlotStatus {
  port: number;
  role: Role;
  release: string | null;
  healthy: boolean;
  inflight: number;
  instances: {
    pid: number;
    status: string;
    uptimeMs: number;
    memoryBytes: number;
    restarts: number;
  }[];
}

export interface Facts {
  version: string;
  workers: WorkerStatus[];
  instances: PerSlot<Instance[]>;
  healthy: PerSlot<boolean>;
  pending: number;
  problem: string | null;
  certificates: CertificateStatus[] | null;
  skew: { files: number; bytes: number } | null;
  note: string | null;
  fleet?: Status['fleet'];
}

export function toStatus(config: Config, state: State, facts: Facts): Status {
  const role = roles(state);
  const slot = (which: Slot): SlotStatus => ({
    port: config.ports[which],
    role: role[which],
    release: state.slots[which].release,
    healthy: facts.healthy[which],
    inflight: facts.workers.reduce((sum, worker) => sum + worker.inflight[which], 0),
    instances: facts.instances[which].map(({ pid, status, uptimeMs, memoryBytes, restarts }) => ({
      pid,
      status,
      uptimeMs,
      memoryBytes,
      restarts,
    })),
  });
  return {
    name: config.name,
    version: facts.version,
    active: state.active ?? 'blue',
    epoch: state.epoch,
    proxy: {
      port: portOf(config),
      ...(config.proxy.tls && { tls: true as const }),
      ...(config.hosts && { hosts: config.hosts }),
      workers: facts.workers.map(({ pid, epoch, inflight }) => ({ pid, epoch, inflight })),
    },
    slots: Object.fromEntries(SLOTS.map((which) => [which, slot(which)])) as PerSlot<SlotStatus>,
    promotion: state.promotion && {
      id: state.promotion.id,
      stage: stageOf(state.promotion),
      release: state.promotion.release,
      startedAt: state.promotion.startedAt,
      trigger: state.promotion.trigger,
      durationsMs: state.promotion.durationsMs,
    },
    last: state.last && withoutStart(state.last),
    watcher: {
      paths: config.watch,
      pending: facts.pending,
      paused: state.paused,
      ...(facts.problem !== null && { problem: facts.problem }),
      ...(facts.note !== null && { note: facts.note }),
    },
    ...(facts.certificates !== null && { certificates: facts.certificates }),
    ...(facts.skew !== null && { skew: facts.skew }),
    ...(facts.fleet && { fleet: facts.fleet }),
    ...(state.maintenance?.page && { maintenance: state.maintenance.page }),
    cache: cacheOf(facts.workers),
    // A flip back to the slot that died is under way.
    ...(state.failedOverFrom !== null &&
      state.failedOverFrom !== state.active && { failedOverFrom: state.failedOverFrom }),
  };
}

/** The history tells what started it, and when. */
function withoutStart({ trigger: _trigger, startedAt: _startedAt, ...last }: LastPromotion) {
  return last;
}

/** Where visitors come in. */
function portOf(config: Config): number {
  const { http, https } = publicSide(config);
  return config.hosts && !config.proxy.tls && http !== undefined ? http : https;
}
