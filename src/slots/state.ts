import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { messageOf, SlotsError } from '../errors.ts';
import type { Assignment } from '../wire/assignment.ts';
import type { SitePaths } from './paths.ts';
import { setAside } from './set-aside.ts';
import { type PerSlot, SLOTS } from './slot.ts';
import { syncFolder } from './sync-folder.ts';

export const STAGES = ['build', 'start', 'check', 'flip', 'drain', 'reload'] as const;

export type Stage = (typeof STAGES)[number];

const slotSchema = z.enum(SLOTS);
export const stageSchema = z.enum(STAGES);
/** It becomes part of paths, so there must be no path in it. */
const releaseSchema = z.string().regex(/^r[\w-]*$/);
const durationsSchema = z.partialRecord(stageSchema, z.number());

const stageErrorSchema = z.object({
  stage: stageSchema,
  /** One line that a person can act on. */
  message: z.string(),
});

const promotionSchema = z.object({
  id: z.string(),
  /**
   * `build` makes a release and puts it live, `release` puts a kept one live, `standby` flips to the
   * standby.
   */
  kind: z.enum(['build', 'release', 'standby']),
  /** `edit`, `promote`, `push`, `start`, `resume`, `unsettled` or `rollback`. */
  trigger: z.string(),
  stage: stageSchema,
  /** `null` for an instant only: until the builder has read the source. */
  release: releaseSchema.nullable(),
  /** The candidate's slot; `null` while building, when the standby must still stay as it is. */
  slot: slotSchema.nullable(),
  /** What the candidate's slot held before, to put back if the promotion fails. */
  previousRelease: releaseSchema.nullable(),
  startedAt: z.string(),
  durationsMs: durationsSchema,
  /** Set once a stage has failed: the standby is being put back. */
  failure: stageErrorSchema.nullable(),
});

export const lastSchema = z.object({
  id: z.string(),
  release: releaseSchema.nullable(),
  outcome: z.enum(['promoted', 'failed', 'rolled-back']),
  stage: stageSchema,
  error: z.string().nullable(),
  finishedAt: z.string(),
  durationsMs: durationsSchema,
  // Missing in a state that was written before the history was completed from it.
  trigger: z.string().default('unknown'),
  startedAt: z.string().default(''),
});

const stateSchema = z.object({
  version: z.literal(1),
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
});

export type State = z.output<typeof stateSchema>;
export type Promotion = z.output<typeof promotionSchema>;
export type LastPromotion = z.output<typeof lastSchema>;
export type StageError = z.output<typeof stageErrorSchema>;

export const EMPTY_STATE: State = {
  version: 1,
  epoch: 0,
  active: null,
  slots: { blue: { release: null }, green: { release: null } },
  paused: false,
  failedOverFrom: null,
  promotion: null,
  last: null,
};

/**
 * Reads state.json; `EMPTY_STATE` when there is none.
 *
 * @throws SlotsError `STATE_BAD` when it does not parse or is of another version.
 */
export async function readState(paths: SitePaths): Promise<State> {
  let text: string;
  try {
    text = await readFile(paths.state, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return EMPTY_STATE;
    throw new SlotsError('STATE_BAD', `cannot read ${paths.state}: ${messageOf(error)}`);
  }
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SlotsError('STATE_BAD', `${paths.state} is not a state of this version`, {
      hint: 'the controller sets such a file aside at its start and rebuilds it from the slots',
      cause,
    });
  }
}

/**
 * Durable when it resolves: the file's bytes (fsync by write-file-atomic) and its name (the folder's fsync).
 *
 * @throws SlotsError `STATE_UNWRITABLE`
 */
export async function writeState(paths: SitePaths, state: State): Promise<void> {
  try {
    await mkdir(paths.slots, { recursive: true });
    await writeFileAtomic(paths.state, `${JSON.stringify(state, null, 2)}\n`);
    await syncFolder(dirname(paths.state));
  } catch (cause) {
    throw new SlotsError('STATE_UNWRITABLE', `cannot write state.json: ${messageOf(cause)}`, {
      hint: `${paths.slots} must be writable for the user that slots runs as, on a disk that is not full`,
      cause,
    });
  }
}

/**
 * Renames a state file that cannot be used, so that nothing is lost, and says what it is called now.
 *
 * @throws SlotsError `STATE_UNWRITABLE`
 */
export async function setStateAside(paths: SitePaths, now: Date): Promise<string> {
  return setAside(paths.state, now);
}

/** What a worker routes by when no controller answers. A state that cannot be read sends visitors nowhere. */
export async function readAssignment(
  paths: SitePaths,
  ports: PerSlot<number>,
): Promise<Assignment> {
  const state = await readState(paths).catch(() => EMPTY_STATE);
  return toAssignment(state, ports, { revision: 0, warm: { blue: false, green: false } });
}

export function toAssignment(
  state: State,
  ports: PerSlot<number>,
  now: { revision: number; warm: PerSlot<boolean> },
): Assignment {
  return {
    epoch: state.epoch,
    revision: now.revision,
    active: state.active,
    slots: {
      blue: { port: ports.blue, release: state.slots.blue.release, warm: now.warm.blue },
      green: { port: ports.green, release: state.slots.green.release, warm: now.warm.green },
    },
  };
}
