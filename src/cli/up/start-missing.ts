/** Starts the apps of a site that do not run. */
import { type AppRole, appName, apps } from '../../config/ecosystem.ts';
import type { Config } from '../../config/schema.ts';
import { SlotsError } from '../../errors.ts';
import type { Pm2 } from '../../pm2.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { type Owner, runSocketOwners } from '../../slots/run-socket.ts';
import { checkPorts } from '../check-ports.ts';

const ROLES: AppRole[] = ['watcher', 'blue', 'green', 'proxy'];

/** A site with `hosts` has the front in place of a proxy of its own. */
const rolesOf = ({ hosts }: Config) => (hosts ? ROLES.filter((role) => role !== 'proxy') : ROLES);

/**
 * @returns whether anything had to be started
 * @throws SlotsError `NAME_TAKEN`, and those of `checkPorts`
 */
export async function startMissing(pm2: Pm2, config: Config, paths: SitePaths): Promise<boolean> {
  const known = await pm2.all();
  const missing: AppRole[] = [];
  for (const role of rolesOf(config)) {
    const instances = known.get(appName(config, role)) ?? [];
    const foreign = instances.find(({ root }) => root !== paths.root);
    if (foreign) {
      throw new SlotsError(
        'NAME_TAKEN',
        `PM2 runs an app ${appName(config, role)} already, of ${foreign.root ?? 'another program'}`,
        { hint: 'set another "name" in slots.config.ts' },
      );
    }
    const runs = instances.some(({ status }) => status === 'online' || status === 'launching');
    // A slot that has no release is stopped, and that is as it should be.
    const rests = (role === 'blue' || role === 'green') && instances.length > 0;
    if (!runs && !rests) missing.push(role);
  }
  const orphans = (await runSocketOwners(paths.run)).filter(({ isOrphan }) => isOrphan);
  for (const role of missing) {
    // What a daemon that died has left behind serves until the new processes take its sockets.
    if (!orphans.some((orphan) => isOf(orphan, role))) await checkPorts(config, role);
    await pm2.delete(appName(config, role));
  }
  const wanted = new Set(missing.map((role) => appName(config, role)));
  const toStart = apps(paths.root, config).filter(({ name }) => wanted.has(name));
  if (toStart.length > 0) await pm2.start(toStart);
  return toStart.length > 0;
}

/** A site whose server is not HTTP's has its socket under `tcp<slot>`. */
function isOf(owner: Owner, role: AppRole): boolean {
  return owner.role === role || owner.role === `tcp${role}`;
}
