import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import type { Config } from '../config/schema.ts';
import { SlotsError } from '../errors.ts';
import { plainText } from '../plain-text.ts';
import { type Joined, join as joinGroup, readInvitation } from '../slots/fleet-invitation.ts';
import { fleetKeyOf } from '../slots/fleet-key.ts';
import type { SitePaths } from '../slots/paths.ts';
import { fleetOf } from './fleet-invite.ts';

export interface JoinOptions {
  force?: boolean;
}

const DONE: Record<Joined, string> = {
  joined: 'joined',
  replaced: 'joined, in the place of another key,',
  'was in it': 'was in',
};

/**
 * `slots fleet join [invitation]`: takes the keys of a group. Without the word, or with `-`, it is read from stdin, so that it
 * stays out of the shell's history and of the list of processes.
 */
export async function join(
  config: Config,
  paths: SitePaths,
  word: string | undefined,
  options: JoinOptions,
): Promise<void> {
  const { group, id } = fleetOf(config);
  const invitation = readInvitation(word === undefined || word === '-' ? await ask() : word);
  if (invitation.group !== group) {
    throw new SlotsError(
      'CONFIG_INVALID',
      `this is an invitation to ${plainText(invitation.group)}, and "fleet.group" of the config is ${group}`,
      { hint: 'all machines of a fleet have the same "fleet.group"' },
    );
  }
  const done = await joinGroup(paths, invitation, options);
  const { fingerprint } = fleetKeyOf(invitation.seed);
  console.log(`${id} ${DONE[done]} ${group} (key ${fingerprint})`);
}

async function ask(): Promise<string> {
  if (!process.stdin.isTTY) return text(process.stdin);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question('Paste what `slots fleet invite` has printed: ');
  } finally {
    lines.close();
  }
}
