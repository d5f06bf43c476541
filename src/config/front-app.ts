/** The PM2 app that several sites share. */

import { HOME_VARIABLE, type HomePaths } from '../slots/home.ts';
import {
  type App,
  COMMON_OPTIONS,
  FRONT_APP,
  KILL_MARGIN_MS,
  PROXY_NODE_ARGS,
  processScript,
} from './ecosystem.ts';
import type { FrontConfig } from './front.ts';

/** Keeps the config that the front was started with, for a worker that finds a broken front.json. */
export const FRONT_STARTED_VARIABLE = 'SLOTS_FRONT';

export function frontApp({ home }: HomePaths, config: FrontConfig): App {
  return {
    ...COMMON_OPTIONS,
    FRONT_APP,
    name: FRONT_APP,
    script: processScript('front'),
    cwd: home,
    exec_mode: 'cluster',
    node_args: PROXY_NODE_ARGS,
    instances: config.workers,
    kill_timeout: config.drainTimeoutMs + KILL_MARGIN_MS,
    listen_timeout: 10_000,
    env: {
      NODE_ENV: 'production',
      // Whose app it is, as with a site's apps.
      SLOTS_ROOT: home,
      [HOME_VARIABLE]: home,
      [FRONT_STARTED_VARIABLE]: JSON.stringify(config),
    },
  };
}
