/**
 * The public port: one listening socket that all workers share and none is the owner of. A worker that starts gets it from one
 * that runs, and listens itself only where there is none. So a worker that ends closes nothing: connections in the accept
 * queue, or half way through their handshake, are the others'.
 */
import type { Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type RunSocket, runSockets, takeRunSocket } from '../slots/run-socket.ts';
import { acceptMore } from './accept-more.ts';
import { passHandle, receiveHandle } from './handle-passing.ts';

/** How long a worker looks for a way to listen, in milliseconds: two that start at once meet. */
const LISTEN_TIMEOUT_MS = 5000;
const LOOK_INTERVAL_MS = 50;

export interface PublicPort {
  /** What the socket is passed on under, and what it serves as: `proxy`, or `redirect`. */
  name: string;
  port: number;
  host: string;
}

/** A worker that listens. */
export interface PortWorker {
  /** By which a successor takes its place. */
  number: number;
  /** The folder for sockets. */
  run: string;
  log: Logger;
  /** The port has failed after all. */
  onError(error: Error): void;
}

/**
 * Listens, and passes the socket on to workers that start. Where that cannot be, it is logged, and the worker serves all the same.
 *
 * @throws Error `EADDRINUSE` and the like, when the port cannot be had
 */
export async function servePublicPort(
  server: Server,
  at: PublicPort,
  { number, run, log, onError }: PortWorker,
): Promise<RunSocket | null> {
  await listenShared(server, at, run);
  server.on('error', onError);
  const shared = await sharePort(server, at.name, number, run).catch(({ message }: Error) => {
    const what = `the next worker cannot have port ${at.port} from this one: ${message}`;
    log.error({ event: 'worker.share-failed', port: at.port, error: message }, what);
    return null;
  });
  if (shared) await acceptMore(server, sharedAt(run, at.name, number), at.port);
  return shared;
}

/** @throws Error `EADDRINUSE` and the like, when the port cannot be had either way */
export async function listenShared(
  server: Server,
  { name, port, host }: PublicPort,
  run: string,
  timeoutMs = LISTEN_TIMEOUT_MS,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    for (const path of runSockets(run, name)) {
      const handle = await receiveHandle(path, port);
      if (handle) return listen(server, handle);
    }
    try {
      return await listen(server, { port, host, exclusive: true });
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!isTaken || performance.now() > deadline) throw error;
    }
    // Workers of slots 0.1 listen through PM2's daemon, which holds the port until the last of them has ended.
    if (await listen(server, { port, host }).catch(() => 'refused')) await delay(LOOK_INTERVAL_MS);
    else return;
  }
}

/** Passes the socket of `server` on to workers that start, as the one that is number `n`. */
export function sharePort(
  server: Server,
  name: string,
  n: number,
  run: string,
): Promise<RunSocket> {
  return takeRunSocket(sharedAt(run, name, n), (socket) => passHandle(server, socket), {
    pauseOnConnect: true,
  });
}

function sharedAt(run: string, name: string, n: number): string {
  return join(run, `${name}-${n}.sock`);
}

function listen(server: Server, options: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      server.removeListener('listening', succeed);
      reject(error);
    };
    const succeed = () => {
      server.removeListener('error', fail);
      resolve();
    };
    server.once('error', fail).once('listening', succeed);
    server.listen(options);
  });
}
