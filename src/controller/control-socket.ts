import { chmod, mkdir, rm } from 'node:fs/promises';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  request,
  type Server,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { SlotsError } from '../errors.ts';
import { CONFIG_HEADER } from '../slots/headers.ts';
import type { SitePaths } from '../slots/paths.ts';
import { WORKER_UPGRADE } from '../wire/messages.ts';

const CONNECT_TIMEOUT_MS = 1000;

/** Listens on the control socket, for its owner only. A socket left by a killed controller is replaced. */
export async function listenOnControlSocket(
  paths: SitePaths,
  api: RequestListener,
  onWorker: (socket: Duplex, pid: number) => void,
): Promise<Server> {
  await mkdir(paths.slots, { recursive: true });
  await rm(paths.controlSocket, { force: true }).catch((cause: Error) => {
    const what = `${paths.controlSocket} is in the way and cannot be removed: ${cause.message}`;
    throw new SlotsError('SOCKET_TAKEN', what, {
      hint: 'another user may have put it there; a shorter path of the site gives a socket in slots/',
      cause,
    });
  });
  const server = createServer(api);
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    const pid = Number(incoming.headers['x-slots-pid']);
    if (incoming.headers.upgrade !== WORKER_UPGRADE || !Number.isInteger(pid) || pid <= 0) {
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      return;
    }
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${WORKER_UPGRADE}\r\n\r\n`,
    );
    if (head.length > 0) socket.unshift(head);
    onWorker(socket, pid);
  });
  const mask = process.umask(0o177);
  try {
    await listen(server, { path: paths.controlSocket });
  } finally {
    process.umask(mask);
  }
  await chmod(paths.controlSocket, 0o600);
  return server;
}

/** The pid of the controller that answers on this socket, or `null` when none does. */
export async function controllerPid(socketPath: string): Promise<number | null> {
  return (await askController(socketPath))?.pid ?? null;
}

/** Which controller answers on this socket, and the hash of the config that it goes by; `null` when none does. */
export function askController(
  socketPath: string,
): Promise<{ pid: number; config: string | null } | null> {
  return new Promise((resolve) => {
    const outgoing = request({
      socketPath,
      path: '/api/health',
      agent: false,
      signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS),
    });
    outgoing.on('error', () => resolve(null));
    outgoing.on('response', (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      answer.on('error', () => resolve(null));
      answer.on('end', () => {
        const pid = Number(/"pid":(\d+)/.exec(body)?.[1]);
        const config = answer.headers[CONFIG_HEADER];
        resolve(pid ? { pid, config: typeof config === 'string' ? config : null } : null);
      });
    });
    outgoing.end();
  });
}

export function listen(
  server: Server,
  options: { host?: string; port?: number; path?: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}
