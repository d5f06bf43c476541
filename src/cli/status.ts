import { setTimeout as delay } from 'node:timers/promises';
import { appName } from '../config/ecosystem.ts';
import type { Config } from '../config/schema.ts';
import { type Status, toStatus } from '../controller/status.ts';
import { SlotsError } from '../errors.ts';
import { connectPm2, type Instance, isDaemonRunning } from '../pm2.ts';
import type { SitePaths } from '../slots/paths.ts';
import { readState } from '../slots/state.ts';
import { VERSION } from '../version.ts';
import { callController, followController } from './client.ts';
import { renderStatus } from './render-status.ts';

const REDRAW_MS = 1000;

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

/** On a terminal the screen is drawn anew in place; elsewhere each change is one JSON line or one block. */
async function watchStatus(paths: SitePaths, json: boolean): Promise<void> {
  const inPlace = process.stdout.isTTY && !json;
  let current: Status | null = null;
  const draw = () => {
    if (!current) return;
    if (json) console.log(JSON.stringify(current));
    else if (inPlace) process.stdout.write(`\x1b[H\x1b[J${renderStatus(current)}\n`);
    else console.log(`${renderStatus(current)}\n`);
  };
  if (inPlace) process.stdout.write('\x1b[2J');
  const refresh = async () => {
    for (;;) {
      await delay(REDRAW_MS);
      current = await callController<Status>(paths, 'GET', '/api/status').catch(() => current);
      draw();
    }
  };
  if (inPlace) void refresh();
  for await (const event of followController(paths)) {
    if (event.type !== 'status') continue;
    current = event.status;
    draw();
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
