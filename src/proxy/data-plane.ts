import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { CacheConfig } from '../config/cache-schema.ts';
import type { PerSlot, Slot } from '../slots/slot.ts';
import type { Assignment } from '../wire/assignment.ts';
import type { Counters } from '../wire/messages.ts';
import type { ReleaseCache } from './cache/cache.ts';
import type { ReleaseFiles } from './cache/release-files.ts';
import type { Compression } from './compress/compression.ts';
import type { ReadyAnswers } from './fleet/ready-answer.ts';
import type { FleetSide } from './fleet/side.ts';
import type { Leak } from './forward/audit.ts';
import type { Entrance } from './forward/entrance.ts';
import type { Hosts } from './forward/hosted-entrance.ts';
import type { Inflight } from './metrics/inflight.ts';
import type { KeptFiles } from './skew/kept-files.ts';
import type { VisitorConnections } from './visitor/connections.ts';
import type { OrderedCertificates } from './visitor/tls.ts';
import type { Upgrades } from './websocket/upgrade.ts';

/** The data plane of one worker. */
export interface DataPlane {
  server: Server;
  /** What the server's requests go to. */
  entrance: Entrance;
  inflight: Inflight;
  counters: Counters;
  upgrades: Upgrades;
  connections: VisitorConnections;
  /** `null` without a fleet. */
  readyAnswers: ReadyAnswers | null;
  /** The assignment that the next request is routed by. */
  current(): Assignment;
  /** Routes by this assignment from the next request on, unless it is older than the current one. */
  assign(next: Assignment): Assignment;
  /** Ends what is still open on a slot; settles when its tunnels are closed. */
  cut(slot: Slot): Promise<void>;
  /** From here on each connection's next answer is its last one. */
  stop(): void;
  /** The connections that a request or a WebSocket is on. */
  busySockets(): Set<Duplex>;
  /** `null` without a cache. */
  cache: ReleaseCache | null;
  /**
   * Asks a candidate for what visitors have asked of the live release, and stores it.
   *
   * @param withinMs in all, in milliseconds
   * @returns how many URLs were asked for
   */
  fillAhead(slot: Slot, withinMs: number): Promise<number>;
  /** What is known by a request's head alone may be wrong from now on, though what is stored is right. */
  forgetHeads(): void;
  /** `null` where answers go out as they come. */
  compression: Compression | null;
  /** Writes out what the access log still holds. */
  flushLog(): void;
  /** How many places of each slot's limiter are taken. */
  places(): PerSlot<number>;
  /** Sets right what is counted for nobody, and says what that was. */
  audit(): Leak[];
}

export interface DataPlaneOptions {
  /** Takes the access log's lines, if there is one (`proxy.accessLog`). */
  writeLog?: (text: string) => void;
  /** Is told of what one request has thrown, and only that request has ended of. */
  onFault?: ((error: Error) => void) | undefined;
  /** Is told of answers that no visitor can be given. */
  onBadAnswer?: ((slot: Slot, error: Error) => void) | undefined;
  /** Of the instances of each slot; without them all requests go to its port. */
  sockets?: PerSlot<string[]> | undefined;
  /** Files of earlier releases, where any are kept. */
  keptFiles?: KeptFiles | undefined;
  /** `false` or left out: answers are not stored. */
  cache?: CacheConfig | false | undefined;
  /**
   * Makes it one of several behind ports that somebody else listens on: the server is given connections, and a request may be
   * for another site's host.
   */
  hosts?: Hosts | undefined;
  /** Not there without a fleet. */
  fleet?: FleetSide | undefined;
  /** Which URLs are files of a release. */
  releaseFiles?: ReleaseFiles | undefined;
  /** Left out: those of the config's files, if any. */
  certificates?: OrderedCertificates | undefined;
}
