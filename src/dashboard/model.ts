import type { Status } from '../controller/admin/status.ts';
import type { FleetReport } from '../controller/fleet/api.ts';
import type { HistoryEntry } from '../slots/history.ts';
import type { Trigger } from '../slots/trigger.ts';
import type { Log } from './log.ts';
import type { Point } from './traffic.ts';

export interface Release {
  id: string;
  createdAt: string;
  trigger: Trigger;
  changed: string[];
  commit: string | null;
  buildMs: number;
}

/** `none`: there is no token that fits. */
export type Link = 'connecting' | 'live' | 'lost' | 'none';

/** All that the page shows. It is drawn anew from this on each change. */
export interface Model {
  link: Link;
  /** Why a token is wanted; `null` once one was accepted. */
  gate: string | null;
  status: Status | null;
  /** When `status` came, by this machine's clock. */
  seenAt: number;
  /** Newest first. */
  releases: Release[];
  history: HistoryEntry[];
  traffic: Point[];
  /** `null` for a site on one machine. */
  fleet: FleetReport | null;
  log: Log;
  /** Read out to those who do not see the page move. */
  announcement: string;
  /** The message of an order that failed. */
  notice: string | null;
}

/** The release that a rollback without a name goes to. */
export function standbyRelease({ slots }: Status): string | null {
  const standby = Object.values(slots).find(({ role }) => role === 'standby');
  return standby?.release ?? null;
}
