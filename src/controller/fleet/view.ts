/** The fleet as this machine knows it, from the records that come in. It outlives a connection: what was known last still counts. */
import type { z } from 'zod';
import type { BucketEntry } from './connection.ts';
import {
  type Builder,
  builderSchema,
  candidateSchema,
  type Desired,
  desiredSchema,
  type Edits,
  editsSchema,
  type FleetCandidate,
  type FleetMaintenance,
  type Heard,
  maintenanceSchema,
  type Purge,
  presenceSchema,
  purgeSchema,
  type Revised,
  type Seen,
  seenSchema,
} from './records.ts';

export interface View {
  desired: Revised<Desired> | null;
  candidate: Revised<FleetCandidate> | null;
  edits: Revised<Edits> | null;
  maintenance: Revised<FleetMaintenance> | null;
  purge: Revised<Purge> | null;
  /** Who has the lease, and when that was last heard: it runs out without a word. */
  builder: (Revised<Builder> & { at: number }) | null;
  /** By id, each machine that was heard of on this connection, this one too. */
  heard: Map<string, Heard>;
  /** By id, each machine that was ever there, until it is forgotten. */
  seen: Map<string, Revised<Seen>>;
}

export function emptyView(): View {
  return {
    desired: null,
    candidate: null,
    edits: null,
    maintenance: null,
    purge: null,
    builder: null,
    heard: new Map(),
    seen: new Map(),
  };
}

/** A new connection tells everything anew; what it does not tell is gone from the store. */
export function forgetAll(view: View): void {
  Object.assign(view, emptyView());
}

export function takeFleetEntry(view: View, entry: BucketEntry): void {
  const { key } = entry;
  if (key === 'desired') view.desired = newer(view.desired, revised(desiredSchema, entry));
  else if (key === 'candidate') view.candidate = revised(candidateSchema, entry);
  else if (key === 'edits') view.edits = newer(view.edits, revised(editsSchema, entry));
  else if (key === 'maintenance')
    view.maintenance = newer(view.maintenance, revised(maintenanceSchema, entry));
  else if (key === 'purge') view.purge = revised(purgeSchema, entry);
  else if (key.startsWith('seen.')) keep(view.seen, key.slice(5), revised(seenSchema, entry));
}

/** @param at by this machine's monotonic clock */
export function takeLeaseEntry(view: View, entry: BucketEntry, at: number): void {
  const { key } = entry;
  if (key === 'builder') {
    const found = revised(builderSchema, entry);
    view.builder = found && { ...found, at };
  }
  if (!key.startsWith('machine.')) return;
  const presence = revised(presenceSchema, entry)?.value ?? null;
  keep(view.heard, key.slice(8), presence && { presence, at });
}

/** Machines that have been heard of within `leaseMs`, by id. */
export function liveMachines(view: View, now: number, leaseMs: number): Heard[] {
  return [...view.heard.values()]
    .filter(({ at }) => now - at <= leaseMs)
    .sort((a, b) => (a.presence.id < b.presence.id ? -1 : 1));
}

/**
 * Machines that were there and are to be forgotten: silent for longer than `forgetMs`.
 *
 * @param serverNow by the server's clock
 */
export function forgottenMachines(
  { seen }: View,
  serverNow: number,
  forgetMs: number,
): Revised<Seen>[] {
  return [...seen.values()].filter(({ value }) => serverNow - value.at > forgetMs);
}

/** Who leads the fleet just now, or `null`. */
export function currentBuilder({ builder }: View, now: number, leaseMs: number): Builder | null {
  return builder && now - builder.at <= leaseMs ? builder.value : null;
}

/** What this machine has written may be known before the watch tells of it, and of what was there before. */
function newer<V>(known: Revised<V> | null, found: Revised<V> | null): Revised<V> | null {
  if (known === null || found === null) return found;
  return found.revision > known.revision ? found : known;
}

function revised<S extends z.ZodType>(
  schema: S,
  { value, revision }: BucketEntry,
): Revised<z.output<S>> | null {
  const parsed = schema.safeParse(value);
  return parsed.success ? { value: parsed.data, revision } : null;
}

function keep<Value>(all: Map<string, Value>, id: string, value: Value | null): void {
  if (value === null) all.delete(id);
  else all.set(id, value);
}
