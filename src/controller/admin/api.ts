import type { HistoryEntry } from '../../slots/history.ts';
import type { Release } from '../../slots/release.ts';
import type { Slot } from '../../slots/slot.ts';
import type { MaintenanceNotice } from '../../wire/assignment.ts';
import type { RenewResult } from '../acme/keeper.ts';
import type { CertificateStatus } from '../acme/status.ts';
import type { FleetReport } from '../fleet/api.ts';
import type { TrafficPoint } from '../metrics/traffic-ring.ts';
import type { Purge } from '../workers/purges.ts';
import type { Status } from './status.ts';

/** A kept release, and the slots that point to it. */
export type KeptRelease = Release & { slots: Slot[] };

export type ControllerEvent =
  | { type: 'status'; status: Status }
  | { type: 'build-line'; line: string };

/** The controller, as the HTTP API sees it. */
export interface Operations {
  status(): Promise<Status>;
  promote(): Promise<{ id: string }>;
  /** What is live gets fresh processes with the current environment, by a promotion. */
  restart(): Promise<{ id: string }>;
  /**
   * @param release `null` for the standby
   * @param local on this machine alone, where it belongs to a fleet
   */
  rollback(release: string | null, local?: boolean): Promise<{ id: string }>;
  /** @returns how many stored answers were forgotten, by all workers of this machine */
  purge(what: Purge, local?: boolean): Promise<{ forgotten: number }>;
  /** Those that are ordered, or the one of the config's files; none without HTTPS. */
  certificates(): Promise<CertificateStatus[]>;
  /** Orders anew, for one host or for all. Resolves when that is done or has failed. */
  renewCertificates(host: string | null): Promise<{ results: RenewResult[] }>;
  pause(local?: boolean): Promise<void>;
  resume(local?: boolean): Promise<void>;
  /**
   * @param page what visitors get in place of the site; `null`: the site again
   * @param local on this machine alone, where it belongs to a fleet
   */
  maintenance(page: MaintenanceNotice | null, local?: boolean): Promise<void>;
  /** @throws SlotsError `NO_FLEET` */
  fleet(): FleetReport;
  /** Newest first. */
  releases(): Promise<KeptRelease[]>;
  /** Oldest first, the newest so many. */
  history(limit: number): Promise<HistoryEntry[]>;
  /** @param release `null` for the newest build; @returns the log's path */
  buildLog(release: string | null): Promise<string>;
  traffic(): TrafficPoint[];
  /** Calls back on each state change and each line of a build, until the signal aborts. */
  follow(listener: (event: ControllerEvent) => void, signal: AbortSignal): void;
}
