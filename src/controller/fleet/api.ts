/** The fleet, as the rest of the controller sees it. Types alone: what is behind them is loaded only where `fleet` is set. */

import type { Candidate, MaintenancePage, Promotion } from '../../slots/state.ts';
import type { FleetStanding } from '../../wire/assignment.ts';
import type { Order } from '../promotion/order.ts';
import type { Purge } from '../workers/purges.ts';

export interface FleetMachine {
  id: string;
  address: string;
  /** Heard of within `leaseMs`. */
  online: boolean;
  epoch: number;
  release: string | null;
  ready: boolean;
  /** Why it is not ready; `null` if it is. */
  why: string | null;
  /** Whether it may build, and whether it has an edit that waits. */
  builds: boolean;
  edited: boolean;
  /** The server's clock less its own, and the most that this can be wrong by, in milliseconds; `null` while unknown. */
  clock: { offsetMs: number; errorMs: number } | null;
}

export interface FleetReport {
  group: string;
  /** This machine. */
  id: string;
  connected: boolean;
  /** Why it is not connected, or an edit waits, in one line; `null` while all is well. */
  problem: string | null;
  /** What all serve. */
  epoch: number;
  release: string | null;
  /** Who builds or leads just now. */
  builder: string | null;
  paused: boolean;
  machines: FleetMachine[];
}

export interface Fleet {
  /** Connects, and follows the others from then on. */
  start(): void;
  /** Tells the others that this machine goes. */
  stop(): Promise<void>;
  /** @returns the order with its part in the fleet, or `null`: it waits, or is of no use any more */
  admit(order: Order): Promise<Order | null>;
  /** The release is built: the other machines may fetch it while it starts here. */
  offer(promotion: Promotion): void;
  /**
   * The candidate is well here: waits until all machines are to flip, or not.
   *
   * @throws SlotsError `FLEET_NOT_PREPARED`, `FLEET_OVERTAKEN` or `FLEET_AWAY`
   */
  agree(promotion: Candidate, signal: AbortSignal): Promise<void>;
  /** When the workers are to flip, by `instantNow()`; `null`: at once, or no flip of the fleet is under way. */
  flipAt(): number | null;
  /** Takes the lead for a rollback, whoever builds just now. @throws SlotsError `FLEET_AWAY` */
  lead(order: Order): Promise<Order>;
  /** On every machine. @throws SlotsError `FLEET_AWAY` */
  setPaused(paused: boolean): Promise<void>;
  /** On every other machine. @param page `null`: visitors see the site again @throws SlotsError `FLEET_AWAY` */
  setMaintenance(page: MaintenancePage | null): Promise<void>;
  /** On every other machine. @throws SlotsError `FLEET_AWAY` */
  purge(what: Purge): Promise<void>;
  report(): FleetReport;
  standing(): FleetStanding;
}
