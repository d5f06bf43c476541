/** This machine's link to its fleet: connects, says that it is there, hears the others; and again when that breaks off. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { FleetConfig } from '../../config/fleet-schema.ts';
import { messageOf, SlotsError } from '../../errors.ts';
import type { Logger } from '../log.ts';
import { bestOf, type ClockSample, now, sampleOf, type TimedSample, withSample } from './clock.ts';
import {
  type Bucket,
  type BucketEntry,
  type FleetConnection,
  openConnection,
} from './connection.ts';
import type { Presence } from './records.ts';
import { emptyView, forgetAll, takeFleetEntry, takeLeaseEntry, type View } from './view.ts';

const RETRY_MS = 500;

/** How often a machine leaves word of itself at least, in milliseconds. */
const MAX_SIGN_MS = 60_000;

/** What this machine says of itself, besides what the link adds. */
export type Said = Omit<Presence, 'id' | 'run' | 'clock'>;

export interface Link {
  readonly view: View;
  /** Tells this controller's records from those of another process. */
  readonly run: string;
  /** Everything is known, and NATS has answered within `leaseMs`. */
  isConnected(): boolean;
  /** Since NATS last answered, in milliseconds. */
  silentMs(): number;
  /** Why the fleet does not know of this machine, or it not of the fleet; `null` while all is well. */
  problem(): string | null;
  /** Another machine has this one's id. */
  refused(): string | null;
  clock(): ClockSample | null;
  /** Says at once what has changed; the next renewal says it otherwise. */
  tell(): void;
  /** @throws SlotsError `FLEET_AWAY` */
  connection(): FleetConnection;
  /** Connects, for ever. */
  start(): void;
  /** Says good-bye, so that nobody waits for this machine. */
  stop(): Promise<void>;
}

interface Parts {
  config: FleetConfig;
  log: Logger;
  said(): Said;
  /** Something was heard, or the connection came or went. */
  onChange(): void;
  /** Renews the builder's lease, if it is held. */
  renew(bucket: Bucket): Promise<void>;
}

export function createLink({ config, log, said, onChange, renew }: Parts): Link {
  const { id, leaseMs } = config;
  const run = randomUUID();
  const view = emptyView();
  const own = `machine.${id}`;
  let connection: FleetConnection | null = null;
  let isSynced = false;
  let isStopped = false;
  let answeredAt = now();
  let samples: TimedSample[] = [];
  let problem: string | null = 'not connected to NATS yet';
  let refused: string | null = null;
  let revision: number | null = null;
  /** Of the renewal that waits for its stamp to come back. */
  let sent: { revision: number; from: number; to: number } | null = null;
  let wake: () => void = () => {};
  let isUrgent = false;
  let signedAt = 0;
  const signEveryMs = Math.min(MAX_SIGN_MS, config.forgetMs / 4);

  const take = (entry: BucketEntry) => {
    takeLeaseEntry(view, entry, now());
    if (entry.key === own && sent?.revision === entry.revision) {
      samples = withSample(samples, sampleOf(sent.from, sent.to, entry.createdAt));
      sent = null;
    }
  };

  /** Ours, unless another machine has this id and is there. */
  const claim = async ({ lease }: FleetConnection): Promise<number | null> => {
    const found = await lease.get(own);
    const value = found?.value as Presence | null | undefined;
    if (!found || !value || value.run === run) return found?.revision ?? null;
    // It may be what a controller of this machine that was killed has left: then nobody renews it.
    const until = now() + leaseMs + 500;
    while (now() < until) {
      await delay(leaseMs / 5);
      const again = await lease.get(own);
      if (!again?.value) return again?.revision ?? null;
      if (again.revision === found.revision) continue;
      throw new SlotsError('FLEET_ID_TAKEN', takenBy(again.value as Presence));
    }
    return found.revision;
  };

  const takenBy = ({ address }: Presence) =>
    `another machine of the group ${config.group}, at ${address}, has the id "${id}": set "fleet.id"`;

  const beat = async (open: FleetConnection): Promise<void> => {
    isUrgent = false;
    const presence: Presence = { ...said(), id, run, clock: bestOf(samples) };
    const from = now();
    const next = await open.lease.set(own, presence, revision);
    const to = now();
    if (next === null) {
      // An answer that was lost leaves a newer revision of our own; a lease that ran out leaves none.
      const found = await open.lease.get(own);
      const value = found?.value as Presence | null | undefined;
      if (value && value.run !== run) throw new SlotsError('FLEET_ID_TAKEN', takenBy(value));
      revision = found?.value ? found.revision : null;
      isUrgent = true;
      return;
    }
    revision = next;
    answeredAt = to;
    const told = view.heard.get(id);
    if (told?.presence.run !== run || told.at < from) sent = { revision: next, from, to };
    await renew(open.lease);
  };

  /** Leaves word of this machine for the time after it. */
  const sign = async ({ fleet }: FleetConnection): Promise<number> => {
    const { address, release, epoch } = said();
    signedAt = now();
    const at = signedAt + (bestOf(samples)?.offsetMs ?? 0);
    return fleet.put(`seen.${id}`, { id, address, release, epoch, at });
  };

  const session = async (): Promise<void> => {
    const open = await openConnection(config);
    connection = open;
    let isOver = false;
    open.closed.then(() => {
      isOver = true;
      wake();
    });
    try {
      revision = await claim(open);
      refused = null;
      forgetAll(view);
      sent = null;
      await open.lease.watch((entry) => {
        take(entry);
        onChange();
      });
      const seen = `seen.${id}`;
      const synced = Promise.withResolvers<void>();
      let mark = Number.POSITIVE_INFINITY;
      await open.fleet.watch((entry) => {
        takeFleetEntry(view, entry);
        // What was stored before our own mark has come in before it.
        if (entry.key === seen && entry.revision >= mark) synced.resolve();
        onChange();
      });
      mark = await sign(open);
      const known = view.seen.get(id);
      if (known && known.revision >= mark) synced.resolve();
      await Promise.race([synced.promise, lateAfter(leaseMs, 'the bucket is not readable')]);
      await beat(open);
      isSynced = true;
      problem = null;
      log.info({ event: 'fleet.connected', server: open.server }, `connected to ${open.server}`);
      onChange();
      while (!isOver && !isStopped) {
        if (!isUrgent) await sleep(leaseMs / 3);
        if (isOver || isStopped) break;
        await beat(open);
        if (now() - signedAt > signEveryMs) await sign(open);
        onChange();
      }
      if (!isStopped) throw new Error((await open.closed) ?? 'the connection was closed');
    } finally {
      isSynced = false;
      connection = null;
      await open.close().catch(() => {});
    }
  };

  const sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const loop = async () => {
    while (!isStopped) {
      await session().catch((error) => {
        const text = messageOf(error);
        const isTaken = error instanceof SlotsError && error.code === 'FLEET_ID_TAKEN';
        if (isTaken) refused = text;
        if (text !== problem) log.warn({ event: 'fleet.away', error: text }, text);
        problem = text;
        onChange();
      });
      if (!isStopped) await sleep(RETRY_MS * (0.5 + Math.random()));
    }
  };

  return {
    view,
    run,
    isConnected: () => isSynced && now() - answeredAt <= leaseMs,
    silentMs: () => now() - answeredAt,
    problem: () => problem,
    refused: () => refused,
    clock: () => bestOf(samples),
    tell() {
      isUrgent = true;
      wake();
    },
    connection() {
      if (connection && isSynced) return connection;
      throw new SlotsError('FLEET_AWAY', `the fleet cannot be reached: ${problem}`, {
        hint: '`--local` changes this machine alone',
      });
    },
    start: () => void loop(),
    async stop() {
      isStopped = true;
      const open = connection;
      if (open && revision !== null) {
        await Promise.race([
          open.lease.remove(own, revision).catch(() => {}),
          delay(1000, undefined, { ref: false }),
        ]);
      }
      wake();
    },
  };
}

async function lateAfter(ms: number, what: string): Promise<never> {
  await delay(ms, undefined, { ref: false });
  throw new Error(what);
}
