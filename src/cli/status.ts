import { appName } from '../config/ecosystem.ts';
import type { Config } from '../config/schema.ts';
import { type Status, toStatus } from '../controller/admin/status.ts';
import { SlotsError } from '../errors.ts';
import { connectPm2, type Instance, isDaemonRunning } from '../pm2.ts';
import type { SitePaths } from '../slots/paths.ts';
import { readState } from '../slots/state.ts';
import { VERSION } from '../version.ts';
import { callController } from './client.ts';
import { renderStatus } from './status/render.ts';
import { watchStatus } from './status/watch.ts';

/** `slots status`: who is active, both slots, what runs and what happened last. */
export async function status(
  config: Config,
  paths: SitePaths,
  options: { json?: boolean; watch?: boolean },
): Promise<void> {
  if (options.watch) return watchStatus(paths, options.json === true);
  const print = (value: Status) =>
    console.log(options.json ? JSON.stringify(value, null, 2) : renderStatus(value));
  try {
    print(await callController<Status>(paths, 'GET', '/api/status'));
  } catch (error) {
    if (!(error instanceof SlotsError) || error.code !== 'CONTROLLER_UNREACHABLE') throw error;
    print(await statusWithoutController(config, paths));
    throw new SlotsError(error.code, `${error.message}; this is what state.json and PM2 say`, {
      hint: error.hint,
    });
  }
}

async function statusWithoutController(config: Config, paths: SitePaths): Promise<Status> {
  const state = await readState(paths);
  const all = await instancesWithoutDaemonStart();
  const none = { blue: 0, green: 0 };
  const proxies = all.get(appName(config, 'proxy')) ?? [];
  return toStatus(config, state, {
    version: VERSION,
    workers: proxies
      .filter(({ status }) => status === 'online')
      .map(({ pid }) => ({ pid, epoch: state.epoch, inflight: none })),
    instances: {
      blue: all.get(appName(config, 'blue')) ?? [],
      green: all.get(appName(config, 'green')) ?? [],
    },
    healthy: { blue: false, green: false },
    pending: 0,
    problem: null,
    skew: null,
    note: null,
  });
}

/** Asking for a status must not start a daemon. */
async function instancesWithoutDaemonStart() {
  if (!isDaemonRunning()) return new Map<string, Instance[]>();
  const pm2 = await connectPm2();
  try {
    return await pm2.all();
  } finally {
    pm2.disconnect();
  }
}
