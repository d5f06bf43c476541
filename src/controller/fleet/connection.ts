/** The thin adapter to NATS: connecting, the fleet's two buckets and its object store. Nothing here decides anything. */
import { JetStreamApiError, jetstream } from '@nats-io/jetstream';
import { type KV, Bucket as KvBucket, Kvm } from '@nats-io/kv';
import { type ObjectStore, Objm } from '@nats-io/obj';
import { connect, type NodeConnectionOptions } from '@nats-io/transport-node';
import type { FleetConfig } from '../../config/fleet-schema.ts';
import { messageOf, SlotsError } from '../../errors.ts';
import { credentials, refusal, tlsOptions } from './credentials.ts';

/** One bucket: keys with JSON under them. */
export interface Bucket {
  get(key: string): Promise<BucketEntry | null>;
  /** @returns the new revision */
  put(key: string, value: unknown): Promise<number>;
  /**
   * Compare-and-set.
   *
   * @param revision the one that the key has to have; `null`: none, it must not be there
   * @returns the new revision, or `null` when the key has another one
   */
  set(key: string, value: unknown, revision: number | null): Promise<number | null>;
  /** Deletes a key if it has this revision still. */
  remove(key: string, revision: number): Promise<void>;
  /** Frees what keys that were deleted half an hour ago still take. */
  compact(): Promise<void>;
  /** Every key as it is, then each change, until the connection closes; resolves when the server sends them. */
  watch(onEntry: (entry: BucketEntry) => void): Promise<void>;
}

export interface BucketEntry {
  key: string;
  /** Parsed; `null` of a key that was deleted. */
  value: unknown;
  revision: number;
  /** When the server stored it, in milliseconds since 1970. */
  createdAt: number;
}

export interface FleetConnection {
  /** What lasts: what all serve, what is prepared, who was there. */
  fleet: Bucket;
  /** What has to be renewed: who is there, who builds. */
  lease: Bucket;
  objects: ObjectStore;
  server: string;
  /** Resolves when the connection is gone, with the reason if there is one. */
  closed: Promise<string | null>;
  close(): Promise<void>;
}

/**
 * To one of the servers: they are asked one after the other, since a certificate has to name the very host that was asked.
 *
 * @throws SlotsError `FLEET_UNREACHABLE` when no server answers, takes the credentials, and has JetStream
 */
export async function openConnection(config: FleetConfig): Promise<FleetConnection> {
  const failures: { server: string; cause: unknown }[] = [];
  for (const server of startingAnywhere(config.servers)) {
    try {
      return await openAt(server, config);
    } catch (cause) {
      failures.push({ server, cause });
    }
  }
  const said = failures
    .map(({ server, cause }) => ({ server, cause, ...refusal(cause, process.env) }))
    .sort((a, b) => (a.server < b.server ? -1 : 1));
  const what = said.map((one) => `NATS at ${one.server} ${one.what}`).join('; ');
  const [first] = said;
  throw new SlotsError('FLEET_UNREACHABLE', what, { hint: first?.hint, cause: first?.cause });
}

/** So that machines do not all crowd on the first one. */
function startingAnywhere(servers: readonly string[]): string[] {
  const start = Math.floor(Math.random() * servers.length);
  return [...servers.slice(start), ...servers.slice(0, start)];
}

async function openAt(server: string, config: FleetConfig): Promise<FleetConnection> {
  const { leaseMs, group, servers } = config;
  const connection = await connect(connectionOptions(server, config));
  try {
    const js = jetstream(connection, { timeout: leaseMs });
    const replicas = connection.info?.cluster ? Math.min(3, servers.length) : 1;
    const kvm = new Kvm(js);
    const [fleet, lease, objects] = await Promise.all([
      kvm.create(`slots_${group}`, { replicas, history: 1, timeout: leaseMs }),
      kvm.create(`slots_${group}_lease`, { replicas, history: 1, ttl: leaseMs, timeout: leaseMs }),
      new Objm(js).create(`slots_${group}`, { replicas }),
    ]);
    return {
      fleet: bucket(fleet, leaseMs),
      lease: bucket(lease, leaseMs),
      objects,
      server: connection.getServer(),
      closed: connection.closed().then((error) => (error ? messageOf(error) : null)),
      close: () => connection.close(),
    };
  } catch (error) {
    await connection.close().catch(() => {});
    throw error;
  }
}

/** A connection that is lost is opened anew by its owner, since a store that was wiped meanwhile has to be filled again. */
function connectionOptions(server: string, { leaseMs, id }: FleetConfig): NodeConnectionOptions {
  return {
    servers: server,
    name: `slots ${id}`,
    reconnect: false,
    timeout: leaseMs,
    pingInterval: Math.max(250, Math.floor(leaseMs / 3)),
    maxPingOut: 2,
    ...credentials(process.env),
    ...tlsOptions(server, process.env),
  };
}

/** `wrong last sequence`, for one replica and for several (server/errors.json of nats-server). */
const WRONG_SEQUENCE = [10071, 10164];

function isTaken(error: unknown): boolean {
  return error instanceof JetStreamApiError && WRONG_SEQUENCE.includes(error.code);
}

function bucket(kv: KV, timeout: number): Bucket {
  return {
    async get(key) {
      const entry = await kv.get(key);
      return entry && toEntry(entry);
    },
    put: (key, value) => kv.put(key, JSON.stringify(value), { timeout }),
    async set(key, value, revision) {
      const text = JSON.stringify(value);
      try {
        if (revision === null) return await kv.create(key, text);
        return await kv.update(key, text, revision, timeout);
      } catch (error) {
        if (isTaken(error)) return null;
        throw error;
      }
    },
    async remove(key, revision) {
      await kv.delete(key, { previousSeq: revision }).catch((error) => {
        if (!isTaken(error)) throw error;
      });
    },
    async compact() {
      // The client has it in its class only, not in the type that it hands out.
      if (kv instanceof KvBucket) await kv.purgeDeletes();
    },
    async watch(onEntry) {
      const entries = await kv.watch();
      void (async () => {
        for await (const entry of entries) onEntry(toEntry(entry));
      })().catch(() => {});
    },
  };
}

function toEntry(entry: {
  key: string;
  value: Uint8Array;
  operation: string;
  revision: number;
  created: Date;
}): BucketEntry {
  const { key, revision, created } = entry;
  return { key, value: parse(entry), revision, createdAt: created.getTime() };
}

function parse({ operation, value }: { operation: string; value: Uint8Array }): unknown {
  if (operation !== 'PUT') return null;
  try {
    return JSON.parse(Buffer.from(value).toString());
  } catch {
    return null;
  }
}
