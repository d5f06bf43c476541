/**
 * The messages over the control socket between the controller and a proxy worker.
 *
 * A worker sends an HTTP/1.1 request `GET /worker` with `Connection: Upgrade`, `Upgrade: slots-worker`
 * and `x-slots-pid: <pid>` to `slots/control.sock`. After the 101 both sides speak JSON, one message a line.
 * The controller's first message is always an `assignment`. Either side may be of another version: fields that it does not
 * know are ignored, and what an older one insists on is still sent.
 */

import type { PerSlot, Slot } from '../slots/slot.ts';
import type { Assignment } from './assignment.ts';

export const WORKER_UPGRADE = 'slots-worker';

/**
 * The name, before its number, of the socket in `slots/run` by which a worker of the front says that it serves the site. Whoever
 * connects gets a byte, if the worker is well.
 */
export const FRONT_SOCKET = 'front';

/** A longer line is refused and its connection closed: no message of ours comes near it. */
export const MAX_LINE_BYTES = 64 * 1024;

/** How often a worker reports, in milliseconds. It reports at once when a slot it no longer uses gets empty. */
export const REPORT_INTERVAL_MS = 250;

export type ToWorker =
  | { type: 'assignment'; assignment: Assignment }
  /** The drain's limit is reached: end what is still open on this slot, as cleanly as its protocol allows. */
  | { type: 'cut'; slot: Slot }
  /**
   * Forget what is stored under these paths or has one of these tags; all of it where there are neither. Only for workers
   * that report `cache`. Older ones do not know tags, and forget all: so paths and tags never come in one message.
   */
  | { type: 'purge'; id: number; paths: string[]; tags?: string[] }
  /**
   * Ask this slot, the candidate, for what visitors have asked of the live release, so that the next one's first visitors are
   * answered from memory. Only for workers that report `cache.filled`.
   */
  | { type: 'fill'; id: number; slot: Slot; withinMs: number };

export type FromWorker =
  /** The worker routes by this assignment from its next request on. */
  | { type: 'ack'; epoch: number; revision: number }
  /** So many URLs have been forgotten. */
  | { type: 'purged'; id: number; urls: number }
  /** The candidate was asked for so many URLs within the time. */
  | { type: 'filled'; id: number; urls: number }
  | { type: 'report'; inflight: PerSlot<number>; counters: Counters };

/**
 * Upper bounds of the latency buckets, in milliseconds; one more bucket takes what is slower. Latency is the
 * time from a request's head to its answer's head: an answer's end depends on how fast the visitor reads.
 */
export const LATENCY_BOUNDS_MS = [
  1, 2, 3, 5, 7.5, 10, 15, 25, 50, 75, 100, 150, 250, 500, 750, 1000, 1500, 2500, 5000, 10_000,
] as const;

/** The answers of one release from one slot. */
export interface Traffic {
  slot: Slot;
  release: string | null;
  /** Answers by status class, index 1 to 5, the proxy's own error answers included. */
  classes: number[];
  /** Answers by latency: one count for each of `LATENCY_BOUNDS_MS`, then one for the slower ones. */
  latency: number[];
  /** All latencies together, in milliseconds. */
  latencySumMs: number;
}

/** Totals since the worker started. */
export interface Counters {
  /** When counting began, in milliseconds since 1970: tells two workers that had the same pid apart. */
  since: number;
  /** The newest releases of each slot, no more than two: an answer belongs to the release it was routed to. */
  traffic: Traffic[];
  /** The proxy's own answers to requests that no slot got, by status class. */
  refused: number[];
  /** Upstream attempts that failed before a response head, by slot. */
  upstreamErrors: PerSlot<number>;
  /** Requests sent a second time because no byte of the first can have been processed. */
  retries: number;
  /** Requests answered by the standby because the active slot refused the connection. */
  failovers: number;
  /** Not there without a cache, and from workers of an earlier version. */
  cache?: CacheCounts | undefined;
}

/** Requests by what the release cache made of them, and what it holds at this instant. */
export interface CacheCounts {
  /** Answered from memory. */
  hit: number;
  /** From memory though its time was over: while it was asked for anew, or because the slot failed. */
  stale: number;
  /** From memory after the slot had said that it is right still. */
  revalidated: number;
  /** Sent on, since nothing was stored. */
  miss: number;
  /** Sent on though something was stored: it was not for this visitor. */
  bypass: number;
  /** Asked of a candidate before its flip, for nobody. Not there from workers that cannot. */
  filled?: number | undefined;
  /** Answers in memory. */
  entries: number;
  /** Memory that they take. */
  bytes: number;
}
