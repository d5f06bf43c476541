import { createServer, type Server } from 'node:http';
import { SlotsError } from '../errors.ts';
import type { SitePaths } from '../slots/paths.ts';
import { controllerPid, listen } from './control-socket.ts';

/**
 * Becomes the one controller of the site. The admin port is the lock: the kernel gives it to one process
 * only and takes it back whatever that process dies of. A socket file has neither property.
 *
 * @param host where it listens: an address that includes 127.0.0.1, so that there is one lock whatever it is
 * @throws SlotsError `CONTROLLER_RUNS` naming the other's pid, or `PORT_TAKEN`
 */
export async function takeSiteLock(
  paths: SitePaths,
  adminPort: number,
  host = '127.0.0.1',
): Promise<Server> {
  const pid = await controllerPid(paths.controlSocket);
  if (pid !== null) throw alreadyRuns(pid);
  const admin = createServer();
  try {
    await listen(admin, { host, port: adminPort });
    return admin;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    const other = await controllerPid(paths.controlSocket);
    if (other !== null) throw alreadyRuns(other);
    throw new SlotsError(
      'PORT_TAKEN',
      `ports.admin: port ${adminPort} is taken by another program`,
      {
        hint: 'end that program, or set another "ports.admin"',
      },
    );
  }
}

function alreadyRuns(pid: number): SlotsError {
  return new SlotsError('CONTROLLER_RUNS', `this site's controller runs already, with pid ${pid}`);
}
