import type { FleetConfig } from '../config/fleet-schema.ts';
import type { Config } from '../config/schema.ts';
import { SlotsError } from '../errors.ts';
import { writeInvitation } from '../slots/fleet-invitation.ts';
import { makeFleetKey, readFleetKey } from '../slots/fleet-key.ts';
import type { SitePaths } from '../slots/paths.ts';
import { sharedKeys } from '../slots/secrets.ts';

/** `slots fleet invite`: one word that lets another machine into this one's group. The word alone goes to stdout. */
export async function invite(config: Config, paths: SitePaths): Promise<void> {
  const { group } = fleetOf(config);
  const known = readFleetKey(paths, group);
  const key = known ?? (await makeFleetKey(paths, group));
  const shared = await sharedKeys(paths);
  if (!known) console.error(`made the key of ${group} (${key.fingerprint})`);
  console.log(writeInvitation({ group, seed: key.seed, shared }));
  console.error(
    'On the new machine, run `slots fleet join` in the site and paste this. Whoever has it can publish: keep it as secret as slots/secrets.json.',
  );
}

/** @throws SlotsError `CONFIG_INCOMPLETE` where the site has no fleet */
export function fleetOf({ fleet }: Pick<Config, 'fleet'>): FleetConfig {
  if (fleet) return fleet;
  throw new SlotsError('CONFIG_INCOMPLETE', '"fleet" is not in the config', {
    hint: "set fleet: { servers: ['nats://…:4222'] }, the same on all machines",
  });
}
