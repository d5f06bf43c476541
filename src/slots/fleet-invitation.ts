import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SlotsError } from '../errors.ts';
import { fleetKeyOf, putFleetKey, readFleetKey, SEED_BYTES } from './fleet-key.ts';
import type { SitePaths } from './paths.ts';
import { changeSecrets, isSharedKey, SHARED_KEYS, type SharedKeys } from './secrets.ts';

/** Tells people and secret scanners what it is. The digit is the format's. */
const PREFIX = 'slots-fleet-1_';

/** A token that lost a character in a terminal must not become another key. */
const CHECK_BYTES = 6;

/** What a new machine needs of a group, and cannot get from the NATS server without trusting that. */
export interface Invitation {
  group: string;
  seed: Buffer;
  /** Every build of a site has these (secrets.ts), on whichever machine it runs. */
  shared: SharedKeys;
}

const contentSchema = z.object({
  group: z.string().min(1),
  seed: z.base64(),
  shared: z.partialRecord(z.enum(SHARED_KEYS), z.string().refine(isSharedKey)),
});

/** One word, which is as secret as secrets.json. */
export function writeInvitation({ group, seed, shared }: Invitation): string {
  const content = Buffer.from(JSON.stringify({ group, seed: seed.toString('base64'), shared }));
  return PREFIX + Buffer.concat([check(content), content]).toString('base64url');
}

/** @throws SlotsError `USAGE` when it is none, or not all of one */
export function readInvitation(token: string): Invitation {
  const word = token.trim();
  if (!word.startsWith(PREFIX)) throw noInvitation(`it begins with ${PREFIX}`);
  const bytes = Buffer.from(word.slice(PREFIX.length), 'base64url');
  const content = bytes.subarray(CHECK_BYTES);
  if (!check(content).equals(bytes.subarray(0, CHECK_BYTES))) {
    throw noInvitation('a part of it is missing or changed');
  }
  const { group, seed, shared } = contentSchema.parse(JSON.parse(content.toString()));
  const key = Buffer.from(seed, 'base64');
  if (key.length !== SEED_BYTES) throw noInvitation('its key has the wrong length');
  return { group, seed: key, shared };
}

export type Joined = 'joined' | 'replaced' | 'was in it';

/**
 * Puts a group's keys into this machine's secrets.json.
 *
 * @param force replaces the key of the group that this machine has
 * @throws SlotsError `FLEET_OTHER_KEY` when it has another one
 */
export async function join(
  paths: SitePaths,
  { group, seed, shared }: Invitation,
  { force = false } = {},
): Promise<Joined> {
  const own = readFleetKey(paths, group);
  const isOther = own !== null && !own.seed.equals(seed);
  if (isOther && !force) {
    throw new SlotsError(
      'FLEET_OTHER_KEY',
      `this machine has another key for the group ${group}: ${own.fingerprint}, not ${fleetKeyOf(seed).fingerprint}`,
      { hint: '`slots fleet join --force` replaces it' },
    );
  }
  await changeSecrets(paths, (secrets) => {
    putFleetKey(secrets, group, seed);
    Object.assign(secrets, shared);
  });
  return isOther ? 'replaced' : own ? 'was in it' : 'joined';
}

function check(content: Buffer): Buffer {
  return createHash('sha256').update(content).digest().subarray(0, CHECK_BYTES);
}

function noInvitation(why: string): SlotsError {
  return new SlotsError('USAGE', `this is no invitation to a fleet: ${why}`, {
    hint: '`slots fleet invite` on a machine of the fleet prints one',
  });
}
