import { setTimeout as delay } from 'node:timers/promises';
import { appName } from '../config/ecosystem.ts';
import type { Config } from '../config/schema.ts';
import { controllerPid } from '../controller/control-socket.ts';
import { SlotsError } from '../errors.ts';
import type { SitePaths } from '../slots/paths.ts';

/** How long PM2 and the controller may take to come up, in milliseconds. */
const CONTROLLER_TIMEOUT_MS = 20_000;

const LOOK_INTERVAL_MS = 50;

/**
 * @param not the pid of one that PM2 has lost, which answers until another one takes its place
 * @throws SlotsError `CONTROLLER_SILENT`
 */
export async function untilControllerAnswers(
  config: Config,
  paths: SitePaths,
  not: number | null = null,
): Promise<void> {
  const deadline = performance.now() + CONTROLLER_TIMEOUT_MS;
  for (;;) {
    const pid = await controllerPid(paths.controlSocket);
    if (pid !== null && pid !== not) return;
    if (performance.now() > deadline) {
      throw new SlotsError('CONTROLLER_SILENT', 'the controller did not come up', {
        hint: `\`slots logs watcher\` and \`pm2 describe ${appName(config, 'watcher')}\` say why`,
      });
    }
    await delay(LOOK_INTERVAL_MS);
  }
}
