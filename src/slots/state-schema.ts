/** The shape of state.json, version 2. */
import { z } from 'zod';
import { SLOTS } from './slot.ts';
import { triggerSchema } from './trigger.ts';

export const STATE_VERSION = 2;

export const STAGES = ['build', 'start', 'check', 'flip', 'drain', 'reload'] as const;

export type Stage = (typeof STAGES)[number];

export const slotSchema = z.enum(SLOTS);
export const stageSchema = z.enum(STAGES);
/** It becomes part of paths, so there must be no path in it. */
export const releaseSchema = z.string().regex(/^r[\w-]*$/);
const durationsSchema = z.partialRecord(stageSchema, z.number());

export const stageErrorSchema = z.object({
  stage: stageSchema,
  /** One line that a person can act on. */
  message: z.string(),
});

/** What this machine knows of its fleet, and serves; only there with `fleet` in the config. */
export const fleetStateSchema = z.object({
  /** Counts the flips of the fleet; the highest one of all machines is right. */
  epoch: z.int().min(0),
  release: releaseSchema,
  /** It came by a rollback: the watched files are those of a later release, and stay so. */
  rollback: z.boolean().optional(),
  /** It serves something else than the fleet, by a rollback with `--local`, and follows nobody until it is resumed. */
  apart: z.boolean().optional(),
  /** Edits are paused on this machine alone, by `slots pause --local`. */
  pausedAlone: z.boolean().optional(),
});

export type FleetState = z.output<typeof fleetStateSchema>;

/** What visitors get while somebody works on the site (`slots maintenance on`). */
export const maintenancePageSchema = z.object({
  /** What they are told; `null`: the words of slots. */
  message: z.string().nullable(),
  /** Who sees the site all the same: IPs, CIDR blocks or `loopback`. */
  allow: z.array(z.string()),
  /** ISO 8601, UTC. */
  since: z.string(),
});

export const maintenanceSchema = z.object({
  /** `null`: visitors see the site here, whatever they see on the other machines of its fleet. */
  page: maintenancePageSchema.nullable(),
  /** By `--local`: the fleet's word does not count here. */
  alone: z.boolean().optional(),
});

export type MaintenancePage = z.output<typeof maintenancePageSchema>;
export type Maintenance = z.output<typeof maintenanceSchema>;

/** A promotion: each step says what exists in it. */
export const baseSchema = z.object({
  id: z.string(),
  /**
   * `build` makes a release and puts it live, `release` puts a kept one live, `standby` flips to the
   * standby.
   */
  kind: z.enum(['build', 'release', 'standby']),
  trigger: triggerSchema,
  startedAt: z.string(),
  /** Milliseconds of each stage that is over. */
  durationsMs: durationsSchema,
  /** The fleet's promotion that this is a part of; not there for one of this machine alone. */
  fleet: z
    .object({
      /** Of the fleet, after the flip. */
      epoch: z.int().min(1),
      /** `lead` builds or chooses the release, `member` prepares it, `late` catches up with what the others serve. */
      role: z.enum(['lead', 'member', 'late']),
      /** What the machine served of the fleet before, for a flip that fails. */
      previous: fleetStateSchema.nullable(),
    })
    .optional(),
});

/** The standby stays as it is, and no slot is the candidate's yet. */
const buildingSchema = baseSchema.extend({
  step: z.literal('build'),
  /** `null` for an instant only: until the builder has read the source. */
  release: releaseSchema.nullable(),
});

const candidateSchema = baseSchema.extend({
  step: z.enum(['start', 'check', 'flip', 'drain', 'reload']),
  /** The candidate's slot. */
  slot: slotSchema,
  release: releaseSchema,
  /** The release that the candidate's slot held before, to put back if the promotion fails. */
  previous: releaseSchema.nullable(),
});

const puttingBackSchema = candidateSchema.extend({
  step: z.literal('put back'),
  /** The stage that failed, and why. */
  failure: stageErrorSchema,
});

const promotionSchema = z.discriminatedUnion('step', [
  buildingSchema,
  candidateSchema,
  puttingBackSchema,
]);

export const lastSchema = z.object({
  id: z.string(),
  release: releaseSchema.nullable(),
  outcome: z.enum(['promoted', 'failed', 'rolled-back']),
  stage: stageSchema,
  error: z.string().nullable(),
  finishedAt: z.string(),
  durationsMs: durationsSchema,
  // Missing in a state that was written before the history was completed from it.
  trigger: triggerSchema.default('unknown'),
  startedAt: z.string().default(''),
});

export const stateSchema = z.object({
  version: z.literal(STATE_VERSION),
  /** Counts flips. */
  epoch: z.int().min(0),
  /** The slot that answers visitors; `null` until the first release is live. */
  active: slotSchema.nullable(),
  slots: z.object({
    blue: z.object({ release: releaseSchema.nullable() }),
    green: z.object({ release: releaseSchema.nullable() }),
  }),
  /** Edits are not promoted. */
  paused: z.boolean(),
  /** Visitors were moved off this slot because it died; they go back when it is healthy. */
  failedOverFrom: slotSchema.nullable(),
  promotion: promotionSchema.nullable(),
  last: lastSchema.nullable(),
  fleet: fleetStateSchema.optional(),
  /** Not there in usual times. */
  maintenance: maintenanceSchema.optional(),
});

export type State = z.output<typeof stateSchema>;
export type LastPromotion = z.output<typeof lastSchema>;

/** A promotion while its release is built. */
export type Building = z.output<typeof buildingSchema>;
/** A promotion whose release has a slot. */
export type Candidate = z.output<typeof candidateSchema>;
/** A promotion that has failed, while the standby is put back. */
export type PuttingBack = z.output<typeof puttingBackSchema>;
export type Promotion = z.output<typeof promotionSchema>;

export const EMPTY_STATE: State = {
  version: STATE_VERSION,
  epoch: 0,
  active: null,
  slots: { blue: { release: null }, green: { release: null } },
  paused: false,
  failedOverFrom: null,
  promotion: null,
  last: null,
};

/** The stage that runs, or the one that failed while the standby is put back. */
export function stageOf(promotion: Promotion): Stage {
  return promotion.step === 'put back' ? promotion.failure.stage : promotion.step;
}
