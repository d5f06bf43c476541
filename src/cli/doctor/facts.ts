import { setTimeout as delay } from 'node:timers/promises';
import { appName } from '../../config/ecosystem.ts';
import type { Config } from '../../config/schema.ts';
import type { Status } from '../../controller/admin/status.ts';
import { controllerPid } from '../../controller/control-socket.ts';
import type { SlotsError } from '../../errors.ts';
import { connectPm2, type Instance } from '../../pm2.ts';
import { daemonAnswers, isDaemonRunning } from '../../pm2-daemon.ts';
import { type SitePaths, sitePaths } from '../../slots/paths.ts';
import { EMPTY_STATE, readState, type State } from '../../slots/state.ts';
import { callController } from '../client.ts';
import { loadLeniently } from './lenient-config.ts';

/** A controller as young as this may not be ready, which takes it no longer than the second. */
const YOUNG_MS = 10_000;
const START_LIMIT_MS = 5000;
const LOOK_INTERVAL_MS = 100;

/** Facts that several checks look at, found out once. Nothing is started for it. */
export interface Facts {
  paths: SitePaths;
  config: Config;
  configError: SlotsError | null;
  /** `EMPTY_STATE` when there is none or it cannot be read. */
  state: State;
  stateError: SlotsError | null;
  daemon: 'runs' | 'silent' | 'none';
  daemonPm2: string | null;
  /** Every process of the daemon, by app. */
  apps: Map<string, Instance[]>;
  controllerPid: number | null;
  /** The controller's status, while it answers. */
  status: Status | null;
}

export async function collectFacts(root: string): Promise<Facts> {
  const paths = sitePaths(root);
  const { config, error } = loadLeniently(root);
  const [state, pm2] = await Promise.all([
    readState(paths).then(
      (read) => ({ state: read, stateError: null }),
      (stateError: SlotsError) => ({ state: EMPTY_STATE, stateError }),
    ),
    askPm2(),
  ]);
  const controller = await askController(paths, config, pm2.apps);
  return { paths, config, configError: error, ...state, ...pm2, ...controller };
}

/** A controller that has just been started gets the time to listen, and its workers to come back. */
async function askController(
  paths: SitePaths,
  config: Config,
  apps: Facts['apps'],
): Promise<Pick<Facts, 'controllerPid' | 'status'>> {
  const [app] = apps.get(appName(config, 'watcher')) ?? [];
  const isYoung = app?.status === 'online' && app.uptimeMs < YOUNG_MS;
  const deadline = performance.now() + (isYoung ? START_LIMIT_MS : 0);
  for (;;) {
    const pid = await controllerPid(paths.controlSocket);
    const status = pid === null ? null : await askStatus(paths);
    if ((status && isComplete(status, config)) || performance.now() >= deadline)
      return { controllerPid: pid, status };
    await delay(LOOK_INTERVAL_MS);
  }
}

/** Its workers are back, and route by the epoch that it says. */
export function isComplete(
  { epoch, proxy }: Pick<Status, 'epoch' | 'proxy'>,
  config: Pick<Config, 'proxy' | 'hosts'>,
): boolean {
  const wanted = config.hosts ? 1 : config.proxy.workers;
  const told = proxy.workers.filter((worker) => worker.epoch === epoch);
  return told.length === proxy.workers.length && told.length >= wanted;
}

function askStatus(paths: SitePaths): Promise<Status | null> {
  return callController<Status>(paths, 'GET', '/api/status').catch(() => null);
}

/** Connecting to PM2 starts a daemon where none answers, so that is found out first. */
async function askPm2(): Promise<Pick<Facts, 'daemon' | 'daemonPm2' | 'apps'>> {
  const nothing = { daemonPm2: null, apps: new Map<string, Instance[]>() };
  if (!isDaemonRunning()) return { daemon: 'none', ...nothing };
  if (!(await daemonAnswers())) return { daemon: 'silent', ...nothing };
  const pm2 = await connectPm2();
  try {
    return { daemon: 'runs', daemonPm2: await pm2.version(), apps: await pm2.all() };
  } catch {
    return { daemon: 'silent', ...nothing };
  } finally {
    pm2.disconnect();
  }
}
