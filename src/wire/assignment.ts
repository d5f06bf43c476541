import type { PerSlot, Slot } from '../slots/slot.ts';

/**
 * Where the workers send visitors: the whole of it, so that a worker that has just connected
 * knows as much as one that has run for weeks. Epochs only grow; a worker ignores an older one.
 */
export interface Assignment {
  /** Counts flips. 0 before the first release is live. */
  epoch: number;
  /**
   * Tells assignments of one epoch apart: `warm` and `release` change without a flip. Starts over with each
   * controller, so it orders nothing; a worker takes what comes last and names it in its acknowledgement.
   */
  revision: number;
  /** The slot that answers visitors; `null` until the first release is live. */
  active: Slot | null;
  slots: PerSlot<SlotTarget>;
  /**
   * When to route by it, by `instantNow()`; not there, or over: at once. It is sent ahead, so that all machines of a fleet flip at
   * one instant, however busy their controllers are. An older worker takes it at once.
   */
  flipAt?: number;
  /** Until the first release is live: its build or start has failed, and nothing runs that could mend it. */
  firstFailed?: boolean;
  /** What a CA may ask at this moment; not there while no certificate is being ordered. An older worker ignores it. */
  challenges?: Challenge[];
  /** Only with `fleet` in the config. */
  fleet?: FleetStanding;
  /** Visitors get a page in place of the site; not there in usual times. An older worker ignores it. */
  maintenance?: MaintenanceNotice;
}

export interface MaintenanceNotice {
  /** What visitors are told; `null`: the words of slots. */
  message: string | null;
  /** Who sees the site all the same: IPs, CIDR blocks or `loopback`. */
  allow: string[];
}

/** What `GET /.slots/ready` says. */
export interface FleetStanding {
  /** This machine's in its fleet. */
  id: string;
  /** Of the fleet; 0 before the first. */
  epoch: number;
  /** The release of that epoch. */
  release: string | null;
  /** Why no load balancer should send visitors here; `null`: it may. */
  notReady: string | null;
  /** The highest epoch that this machine knows of; `null` while it is cut off from the fleet. Only with `fleet.monotonic`. */
  newest?: number | null;
  /** Other machines, as they were last heard of. Only with `fleet.monotonic`. */
  peers?: FleetPeer[];
}

export interface FleetPeer {
  /** Of its proxy: `host:port`. */
  address: string;
  epoch: number;
}

/** One question of a CA (RFC 8555 §8.3, RFC 8737), and the answer that shows that the host is ours. */
export type Challenge =
  /** By plain HTTP, at `/.well-known/acme-challenge/<token>`. */
  | { type: 'http-01'; host: string; token: string; answer: string }
  /** In a handshake for `acme-tls/1`, by this certificate and its key (PEM). */
  | { type: 'tls-alpn-01'; host: string; cert: string; key: string };

/** The protocol of a handshake that asks for a `tls-alpn-01` (RFC 8737 §4). */
export const ACME_PROTOCOL = 'acme-tls/1';

/** Where a CA asks for an `http-01` (RFC 8555 §8.3). */
export function challengePath(token: string): string {
  return `/.well-known/acme-challenge/${token}`;
}

export interface SlotTarget {
  /** The release this slot serves, or `null` when it has none. */
  release: string | null;
  /**
   * Whether a worker that finds the active slot dead may send a request here:
   * true for a warm standby, false for a candidate or an empty slot.
   */
  warm: boolean;
}

/** The part of state.json that visitors depend on. */
export interface Routed {
  epoch: number;
  active: Slot | null;
  slots: PerSlot<{ release: string | null }>;
  promotion: object | null;
  last: { outcome: string } | null;
  /** Only with `fleet` in the config. */
  fleet?: { epoch: number; release: string | null } | undefined;
  maintenance?: { page: MaintenanceNotice | null } | undefined;
}

/** The assignment that this state means for the workers. */
export function toAssignment(
  { epoch, active, slots, promotion, last, maintenance }: Routed,
  now: {
    revision: number;
    warm: PerSlot<boolean>;
    flipAt?: number;
    fleet?: FleetStanding;
    challenges?: Challenge[];
  },
): Assignment {
  const target = (slot: Slot) => ({ release: slots[slot].release, warm: now.warm[slot] });
  const { revision, flipAt, fleet, challenges = [] } = now;
  const page = maintenance?.page;
  const firstFailed = active === null && promotion === null && last?.outcome === 'failed';
  return {
    epoch,
    revision,
    active,
    slots: { blue: target('blue'), green: target('green') },
    ...(flipAt !== undefined && { flipAt }),
    ...(firstFailed && { firstFailed }),
    ...(fleet && { fleet }),
    ...(challenges.length > 0 && { challenges }),
    ...(page && { maintenance: { message: page.message, allow: page.allow } }),
  };
}

/** The assignment for a worker when no controller answers: to the active slot, and nowhere else. */
export function readAssignment(state: Routed): Assignment {
  const { fleet } = state;
  const notReady = 'the controller has not said yet that it is';
  const now = { revision: 0, warm: { blue: false, green: false } };
  if (!fleet) return toAssignment(state, now);
  const { epoch, release } = fleet;
  return toAssignment(state, { ...now, fleet: { id: '', epoch, release, notReady } });
}
