import { appName } from '../../config/ecosystem.ts';
import type { Config } from '../../config/schema.ts';
import { endProcess } from '../../end-process.ts';
import type { Pm2 } from '../../pm2.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { type SiteProcess, siteProcess, siteProcesses } from '../../slots/site-processes.ts';

/** How long one may take to end besides what the last worker that has lost PM2 too has time for, in milliseconds. */
const END_MARGIN_MS = 5000;

/**
 * Ends what a daemon that died has left of a slot before the slot gets new processes or none: workers may have connections to it still,
 * over which they would be answered with an older release. PM2 ends those that it knows itself.
 */
export async function endingLost(pm2: Pm2, config: Config, paths: SitePaths): Promise<Pm2> {
  const all = await siteProcesses(paths);
  let lost = all.filter(({ slot, parent }) => slot !== null && parent !== process.ppid);
  const endOf = async (app: string) => {
    const ofApp = lost.filter(({ slot }) => slot !== null && appName(config, slot) === app);
    lost = lost.filter((instance) => !ofApp.includes(instance));
    const endMs = config.drainTimeoutMs + END_MARGIN_MS;
    await Promise.all(ofApp.map((instance) => end(paths, instance, endMs)));
  };
  return {
    ...pm2,
    async renew(app, how) {
      await endOf(app.name);
      return pm2.renew(app, how);
    },
    async stop(app) {
      await endOf(app);
      return pm2.stop(app);
    },
  };
}

/** Its pid may be another process's by now. */
async function end(paths: SitePaths, { pid, slot }: SiteProcess, endMs: number): Promise<void> {
  if ((await siteProcess(paths, pid))?.slot === slot) await endProcess(pid, endMs);
}
