import { appName } from '../config/ecosystem.ts';
import type { Config } from '../config/schema.ts';
import { changedSince, configHash, parseStarted, type StartedConfig } from '../config/started.ts';
import { askController } from '../controller/control-socket.ts';
import type { Instance, Pm2 } from '../pm2.ts';
import type { SitePaths } from '../slots/paths.ts';
import { style } from './terminal/style.ts';

/** The config that the site's running apps were started with, or `null` when none runs. */
export function startedWith(
  known: ReadonlyMap<string, Instance[]>,
  paths: SitePaths,
): StartedConfig | null {
  const ours = [...known.values()].flat().filter(({ root }) => root === paths.root);
  return ours.map(({ started }) => parseStarted(started)).find((found) => found !== null) ?? null;
}

/**
 * Puts into effect what has changed in the config file of a site that runs, as far as no visitor notices: the
 * controller alone is started again. Says what else waits for `slots down` and `slots up`.
 *
 * @returns whether the controller was started again
 */
export async function applyConfig(
  pm2: Pm2,
  config: Config,
  started: StartedConfig,
  paths: SitePaths,
): Promise<boolean> {
  const waiting = changedSince(started, config);
  if (waiting.length > 0) {
    console.error(
      `${style('yellow', `changed, but not in effect: ${waiting.join(', ')}`)}\n` +
        'the running apps keep what they were started with; `slots down` and `slots up` change it',
    );
  }
  const controller = await askController(paths.controlSocket);
  if (!controller?.config || controller.config === configHash(config)) return false;
  console.log('the config has changed: starting the controller again');
  await pm2.restart(appName({ ...config, ...started }, 'watcher'));
  return true;
}
