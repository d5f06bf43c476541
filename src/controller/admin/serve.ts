/** The doors of the API: the admin port for people and the dashboard, the control socket for the CLI and the workers. */
import type { RequestListener, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { configHash } from '../../config/started.ts';
import { CONFIG_HEADER } from '../../slots/headers.ts';
import { listenOnControlSocket } from '../control-socket.ts';
import { createApp } from './app.ts';
import { type AdminContext, openAdmin } from './open.ts';

/**
 * @param lock the server that holds the admin port as the site's lock
 * @param onWorker takes the connection of a proxy worker with this pid
 */
export async function serveApi(
  lock: Server,
  context: AdminContext,
  onWorker: (socket: Duplex, pid: number) => void,
): Promise<void> {
  await openAdmin(lock, context);
  const app = createApp(context.operations);
  await app.ready();
  const hash = configHash(context.config);
  const answer: RequestListener = (request, response) => {
    response.setHeader(CONFIG_HEADER, hash);
    app.routing(request, response);
  };
  await listenOnControlSocket(context.paths, answer, onWorker);
}
