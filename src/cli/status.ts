import { readFile } from 'node:fs/promises';
import { appName } from '../config/ecosystem.ts';
import type { Config } from '../config/schema.ts';
import { type Status, toStatus } from '../controller/admin/status.ts';
import { bytesOf } from '../controller/skew/prune.ts';
import { SlotsError } from '../errors.ts';
import { connectPm2, type Instance } from '../pm2.ts';
import { isDaemonRunning } from '../pm2-daemon.ts';
import { EMPTY_INDEX, indexFile, parseIndex } from '../slots/assets-index.ts';
import type { SitePaths } from '../slots/paths.ts';
import type { Slot } from '../slots/slot.ts';
import { readState } from '../slots/state.ts';
import { VERSION } from '../version.ts';
import { callController } from './client.ts';
import { orphans } from './status/orphans.ts';
import { renderStatus } from './status/render.ts';
import { watchStatus } from './status/watch.ts';

const LEFT_ALONE =
  "PM2's daemon has died, and the controller: the site is served by the processes they left; `slots up` brings them back";

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
  const left = await orphans(paths);
  const none = { blue: 0, green: 0 };
  const online = (all.get(appName(config, 'proxy')) ?? []).filter(
    ({ status }) => status === 'online',
  );
  const workers = [...online.map(({ pid }) => pid), ...left.workers];
  const instances = (slot: Slot) => [
    ...(all.get(appName(config, slot)) ?? []),
    ...left.instancesOf(slot),
  ];
  return toStatus(config, state, {
    version: VERSION,
    workers: workers.map((pid) => ({ pid, epoch: state.epoch, inflight: none, counters: null })),
    instances: { blue: instances('blue'), green: instances('green') },
    healthy: { blue: false, green: false },
    pending: 0,
    certificates: null,
    skew: config.skew === false ? null : await keptFiles(paths),
    note: null,
    problem: left.workers.length > 0 ? LEFT_ALONE : null,
  });
}

/** What the controller has written last; one that cannot be read holds nothing that a worker could send. */
async function keptFiles(paths: SitePaths): Promise<{ files: number; bytes: number }> {
  const index = await readFile(indexFile(paths), 'utf8')
    .then(parseIndex)
    .catch(() => EMPTY_INDEX);
  return { files: index.files.size, bytes: bytesOf(index) };
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
