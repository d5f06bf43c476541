/** What the machines of a fleet write into its two buckets. A record that a machine cannot read is none. */
import { z } from 'zod';
import { maintenancePageSchema } from '../../slots/state.ts';

const release = z.string().regex(/^r[\w-]*$/);

/** Bucket of the fleet, key `desired`: what all machines serve, or will from `flipAt` on. Changed by compare-and-set only. */
export const desiredSchema = z.object({
  /** Counts the fleet's flips; 0 before the first. */
  epoch: z.int().min(0),
  release: release.nullable(),
  /** The machine that led there. */
  by: z.string(),
  /** A rollback pauses edits on every machine. */
  rollback: z.boolean(),
  /** Those that had prepared. The others catch up. */
  members: z.array(z.string()),
  /** In milliseconds since 1970 by the server's clock. */
  flipAt: z.number(),
  /** The lease under which it was written: whoever takes the lease writes its own here, and an older holder's compare-and-set fails. */
  fence: z.number(),
});

/** Bucket of the fleet, key `candidate`: the release that all machines are to prepare. */
export const candidateSchema = z.object({
  /** The leading machine's promotion; stays when its controller starts again. */
  id: z.string(),
  epoch: z.int().min(1),
  release,
  by: z.string(),
  rollback: z.boolean(),
  /** Why it will not be; `null` while it may. */
  withdrawn: z.string().nullable(),
});

/** Bucket of the fleet, key `edits`: whether edits are promoted. */
export const editsSchema = z.object({ paused: z.boolean(), by: z.string() });

/** Bucket of the fleet, key `maintenance`: what visitors get in place of the site; `null`: the site. */
export const maintenanceSchema = z.object({
  page: maintenancePageSchema.nullable(),
  by: z.string(),
});

/** Bucket of the fleet, key `purge`: what all forget. */
export const purgeSchema = z.object({
  paths: z.array(z.string()),
  tags: z.array(z.string()),
  by: z.string(),
  /** By the server's clock. */
  at: z.number(),
  /** The revision of the purge before it, by compare-and-set; `null`: there was none. */
  after: z.int().nullable(),
});

/** Bucket of the lease, key `machine.<id>`: renewed all the time, gone when it is not. */
export const presenceSchema = z.object({
  id: z.string(),
  /** Of the controller's process: two of one id are two machines. */
  run: z.string(),
  /** Where its visitors come in, for people. */
  address: z.string(),
  node: z.string(),
  arch: z.string(),
  /** Of the fleet, that it serves; 0 before the first. */
  epoch: z.int().min(0),
  release: z.string().nullable(),
  builds: z.boolean(),
  /** It has an edit that is not promoted yet. */
  edited: z.boolean(),
  apart: z.boolean(),
  /** Why it is not ready; `null` if it is. */
  notReady: z.string().nullable(),
  /** The candidate's id that it has prepared, or could not. */
  prepared: z.string().nullable(),
  failed: z.object({ id: z.string(), why: z.string() }).nullable(),
  /** A release that it has to fetch and that the store has lost. */
  needs: z.string().nullable(),
  /** Its clock against the server's, and how good that is known, in milliseconds. */
  clock: z.object({ offsetMs: z.number(), errorMs: z.number() }).nullable(),
});

/** Bucket of the lease, key `builder`. */
export const builderSchema = z.object({ id: z.string(), run: z.string() });

/** Bucket of the fleet, key `seen.<id>`: a machine that was there, for the list, until `forgetMs`. */
export const seenSchema = z.object({
  id: z.string(),
  address: z.string(),
  release: z.string().nullable(),
  epoch: z.int().min(0),
  /** By the server's clock. */
  at: z.number(),
});

export type Desired = z.output<typeof desiredSchema>;
export type FleetCandidate = z.output<typeof candidateSchema>;
export type Edits = z.output<typeof editsSchema>;
export type FleetMaintenance = z.output<typeof maintenanceSchema>;
export type Purge = z.output<typeof purgeSchema>;
export type Presence = z.output<typeof presenceSchema>;
export type Builder = z.output<typeof builderSchema>;
export type Seen = z.output<typeof seenSchema>;

/** A record and the revision that a compare-and-set of it has to name. */
export interface Revised<Value> {
  value: Value;
  revision: number;
}

/** Another machine and when it was last heard of, by this machine's monotonic clock. */
export interface Heard {
  presence: Presence;
  at: number;
}
