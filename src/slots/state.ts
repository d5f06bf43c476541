import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { messageOf, SlotsError } from '../errors.ts';
import type { SitePaths } from './paths.ts';
import { setAside } from './set-aside.ts';
import { EMPTY_STATE, STATE_VERSION, type State, stateSchema } from './state-schema.ts';
import { stateFromVersion1 } from './state-v1.ts';
import { syncFolder } from './sync-folder.ts';

export {
  type Building,
  type Candidate,
  EMPTY_STATE,
  type FleetState,
  type LastPromotion,
  lastSchema,
  type Maintenance,
  type MaintenancePage,
  maintenancePageSchema,
  type Promotion,
  type PuttingBack,
  STAGES,
  type Stage,
  type State,
  stageOf,
  stageSchema,
} from './state-schema.ts';

/**
 * Reads state.json, also one that version 1 has written; `EMPTY_STATE` when there is none.
 *
 * @throws SlotsError `STATE_BAD` when it does not parse or is of a newer version.
 */
export async function readState(paths: SitePaths): Promise<State> {
  let text: string;
  try {
    text = await readFile(paths.state, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return EMPTY_STATE;
    throw new SlotsError('STATE_BAD', `cannot read ${paths.state}: ${messageOf(error)}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
    return stateSchema.parse(versionOf(json) === 1 ? stateFromVersion1.parse(json) : json);
  } catch (cause) {
    throw new SlotsError('STATE_BAD', `${paths.state} ${complaintAbout(versionOf(json))}`, {
      hint: 'the controller sets such a file aside at its start and rebuilds it from the slots',
      cause,
    });
  }
}

function versionOf(json: unknown): unknown {
  return (json as { version?: unknown } | null | undefined)?.version;
}

function complaintAbout(version: unknown): string {
  if (typeof version !== 'number' || version <= STATE_VERSION) return 'is not a state';
  return `is of version ${version}, written by a newer slots; this one reads up to version ${STATE_VERSION}`;
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
