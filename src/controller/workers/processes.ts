import { connect } from 'node:net';
import { ifStillSilent } from '../../after-reading.ts';
import { appName } from '../../config/ecosystem.ts';
import type { Config } from '../../config/schema.ts';
import type { Pm2 } from '../../pm2.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { runSocketOwners } from '../../slots/run-socket.ts';
import { FRONT_SOCKET } from '../../wire/messages.ts';
import type { WorkerProcesses } from './fleet.ts';

/** How long a worker of the front may take to say that it is well, in milliseconds. */
const ANSWER_TIMEOUT_MS = 2000;

/** The processes that may route the site's visitors: those of its own proxy, or of the front. */
export function workerProcesses(pm2: Pm2, config: Config, paths: SitePaths): WorkerProcesses {
  return config.hosts ? frontProcesses(paths) : proxyProcesses(pm2, config);
}

/** The proxy's processes as PM2 knows them. */
function proxyProcesses(pm2: Pm2, config: Config): WorkerProcesses {
  const app = appName(config, 'proxy');
  return {
    online: async () => (await pm2.instances(app)).filter(({ status }) => status === 'online'),
    mayEnd: async () => true,
  };
}

/**
 * Those workers of the front that hold this site, by their sockets in the site's folder: the front may be another daemon's, and
 * one that does not hold the site routes nobody to it.
 */
function frontProcesses({ run }: SitePaths): WorkerProcesses {
  return {
    online: () => runSocketOwners(run, FRONT_SOCKET),
    // It serves others too: only one that hangs as a whole is ended for the sake of this site.
    async mayEnd(pid) {
      const owners = await runSocketOwners(run, FRONT_SOCKET);
      const owner = owners.find((each) => each.pid === pid);
      return owner !== undefined && !(await isWell(owner.path));
    },
  };
}

function isWell(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (well: boolean) => {
      socket.destroy();
      resolve(well);
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => ifStillSilent(socket, () => end(false)));
    socket.once('data', () => end(true)).once('error', () => end(true));
    socket.once('close', () => end(true));
  });
}
