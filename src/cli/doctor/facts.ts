import type { Config } from '../../config/schema.ts';
import { controllerPid } from '../../controller/control-server.ts';
import type { Status } from '../../controller/status.ts';
import type { SlotsError } from '../../errors.ts';
import { connectPm2, daemonAnswers, type Instance, isDaemonRunning } from '../../pm2.ts';
import { type SitePaths, sitePaths } from '../../slots/paths.ts';
import { EMPTY_STATE, readState, type State } from '../../slots/state.ts';
import { callController } from '../client.ts';
import { loadLeniently } from './lenient-config.ts';

/** What several checks look at, found out once. Nothing is started for it. */
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
  /** What the controller says, while it answers. */
  status: Status | null;
}

export async function collectFacts(root: string): Promise<Facts> {
  const paths = sitePaths(root);
  const { config, error } = loadLeniently(root);
  const [state, pm2, pid] = await Promise.all([
    readState(paths).then(
      (read) => ({ state: read, stateError: null }),
      (stateError: SlotsError) => ({ state: EMPTY_STATE, stateError }),
    ),
    askPm2(),
    controllerPid(paths.controlSocket),
  ]);
  const status =
    pid === null
      ? null
      : await callController<Status>(paths, 'GET', '/api/status').catch(() => null);
  return { paths, config, configError: error, ...state, ...pm2, controllerPid: pid, status };
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
