/** What a worker of the front tells whoever connects to its socket in `$SLOTS_HOME/run`: one JSON text, then the end. */
import type { Slot } from '../slots/slot.ts';

/** The name of that socket, before the worker's number. */
export const STATUS_SOCKET = 'status';

export interface FrontWorkerStatus {
  pid: number;
  version: string;
  uptimeMs: number;
  memoryBytes: number;
  /** Connections that have not said yet which host they are for. */
  undecided: number;
  /** Connections and handshakes for hosts that no site has, since the worker started. */
  unknownHost: number;
  sites: FrontSiteStatus[];
  /** Registered sites that the worker cannot serve, and why. */
  refused: { name: string; why: string }[];
}

export interface FrontSiteStatus {
  name: string;
  root: string;
  hosts: string[];
  /** When it was registered as it is. */
  since: string;
  tls: boolean;
  /** Why its certificate cannot be used, or `null`. */
  problem: string | null;
  epoch: number;
  active: Slot | null;
  release: string | null;
  /** Open connections. */
  connections: number;
  /** Answers of the releases that are in its slots, and those of them that were 5xx. */
  requests: number;
  errors: number;
  /** Connections that were closed at once, since the site had too many. */
  overLimit: number;
}
