import type { Facts } from '../../src/cli/doctor/facts.ts';
import type { UserConfig } from '../../src/config/schema.ts';
import type { Instance } from '../../src/pm2.ts';
import type { SitePaths } from '../../src/slots/paths.ts';
import { EMPTY_STATE } from '../../src/slots/state.ts';
import { testConfig } from './test-config.ts';

/** What `slots doctor` would find out about a site of which nothing runs; a test says what is different. */
export function doctorFacts(
  paths: SitePaths,
  changes: Partial<Facts> = {},
  user: UserConfig = {},
): Facts {
  return {
    paths,
    config: testConfig(user),
    configError: null,
    state: EMPTY_STATE,
    stateError: null,
    daemon: 'none',
    daemonPm2: null,
    apps: new Map(),
    controllerPid: null,
    status: null,
    ...changes,
  };
}

/** A process of a site, as PM2 tells it. */
export function instanceOf(paths: SitePaths, changes: Partial<Instance> = {}): Instance {
  return {
    pid: 1,
    pmId: 0,
    status: 'online',
    uptimeMs: 3_600_000,
    memoryBytes: 0,
    restarts: 0,
    exitCode: null,
    outLog: '',
    errorLog: '',
    nodeVersion: null,
    isModule: false,
    script: null,
    definition: null,
    started: null,
    root: paths.root,
    ...changes,
  };
}
