/** One site in a worker of the front: the data plane of a worker of its own, that is given connections instead of a port. */
import { appendFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import type { Logger } from 'pino';
import type { FrontConfig } from '../config/front.ts';
import type { RegisteredSite } from '../config/registered-site.ts';
import type { DataPlane } from '../proxy/data-plane.ts';
import { followController } from '../proxy/follow-controller.ts';
import type { Hosts } from '../proxy/forward/hosted-entrance.ts';
import { createSitePlane } from '../proxy/site-plane.ts';
import { stopServing } from '../proxy/stop.ts';
import { createChallengeAnswers } from '../proxy/visitor/challenges.ts';
import { giveRead } from '../proxy/visitor/plain-connection.ts';
import { owned } from '../proxy/visitor/read-by-buffer.ts';
import { createRedirect } from '../proxy/visitor/redirect.ts';
import { readByStream } from '../proxy/visitor/turns.ts';
import { type SitePaths, sitePaths } from '../slots/paths.ts';
import { takeRunSocket } from '../slots/run-socket.ts';
import { FRONT_SOCKET } from '../wire/messages.ts';
import { openSiteCertificates } from './site-certificates.ts';

export interface FrontSite {
  registered: RegisteredSite;
  readonly plane: DataPlane;
  /** Connections that are open. */
  open(): number;
  /** What a handshake for this host is done with; `undefined` without TLS, and while the certificate cannot be used. */
  secureContext(host: string): SecureContext | undefined;
  /** What a CA's handshake about this host is answered with (RFC 8737). */
  challenge(host: string): SecureContext | undefined;
  /** Why the certificate cannot be used, or `null`. */
  problem(): string | null;
  /** Takes a connection without TLS, and what has been read of it. */
  takePlain(socket: Socket, received: Buffer): void;
  /** Takes a connection whose handshake is done. */
  takeSecure(socket: Socket): void;
  /** Closes a connection that is one too many. */
  turnAway(socket: Socket): void;
  /** How many those were. */
  overLimit(): number;
  /** Goes by the controller no more: the process may have taken the site up anew, and has one connection to a controller. */
  leaveController(): void;
  /** Ends what is open as soon as its visitors do not notice; until then the controller hears of it. */
  end(limitMs: number): Promise<void>;
}

export interface Surrounding {
  /** The worker's number, by which a successor takes its place. */
  number: number;
  config: FrontConfig;
  hosts: Pick<Hosts, 'find' | 'revision'>;
  /** The connections of all sites that a request is on. */
  busySockets(): Set<Duplex>;
  log: Logger;
}

/**
 * Takes up a site: it can be given connections when this is done.
 *
 * @throws SlotsError `CONFIG_INVALID`
 */
export async function openSite(first: RegisteredSite, around: Surrounding): Promise<FrontSite> {
  const paths = sitePaths(first.root);
  const log = around.log.child({ site: first.name }, { msgPrefix: `${first.name}: ` });
  const challenges = createChallengeAnswers();
  const has = (host: string) => around.hosts.find(host) === plane.entrance;
  const plane = createPlane(first, paths, { ...around.hosts, has }, around.config, log);
  // The controller waits for whoever has such a socket, so it comes before the first assignment.
  const announced = await takeRunSocket(
    join(paths.run, `${FRONT_SOCKET}-${around.number}.sock`),
    (socket) => socket.on('error', () => {}).end('here\n'),
  ).catch((error) => {
    plane.server.close(() => {});
    throw error;
  });
  // After all that can fail, for it is tried again and again, and this follows the files.
  const certificates = await openSiteCertificates(first, paths, log);
  const leaveController = await followController({ plane, challenges, paths, log });
  const { tls } = first.config.proxy;
  const redirect = tls
    ? fed(
        createRedirect(first.config.proxy, around.config.ports.https, {
          certificates,
          challenges,
          ready: plane.readyAnswers,
        }),
      )
    : null;
  let open = 0;
  let overLimit = 0;

  const closed = () => {
    open--;
  };
  const give = (server: Server, event: string, socket: Socket) => {
    open++;
    socket.on('close', closed);
    // Node emits what is wrong with a connection on the server that it knows from there.
    (socket as Socket & { server: unknown }).server = server;
    server.emit(event, socket);
  };

  return {
    registered: first,
    plane,
    open: () => open,
    secureContext: certificates.contextFor,
    challenge: challenges.tls,
    problem: certificates.problem,
    takePlain(socket, received) {
      if (redirect) {
        socket.pause();
        socket.unshift(owned(received));
        give(redirect, 'connection', socket);
        // Node's parser would read what comes next before what has been put back.
        readByStream(socket);
        socket.resume();
      } else {
        give(plane.server, 'connection', socket);
        // Stopping the stream, putting it back and going on would take a turn of the event loop.
        giveRead(socket, received);
      }
    },
    takeSecure: (socket) => give(plane.server, 'secureConnection', socket),
    turnAway(socket) {
      overLimit++;
      socket.destroy();
    },
    overLimit: () => overLimit,
    leaveController,
    async end(limitMs) {
      certificates.end();
      await stopServing(plane, limitMs, {
        close: () => {},
        busySockets: around.busySockets,
        isEmpty: async () => open === 0 && plane.upgrades.count() === 0,
      });
      leaveController();
      // `slots down` and the controller take a worker without this socket for one that routes nobody.
      announced.leave();
      plane.flushLog();
      // Ends their timers; neither has ever listened.
      for (const server of [plane.server, redirect]) server?.close(() => {});
    },
  };
}

function createPlane(
  { config }: RegisteredSite,
  paths: SitePaths,
  hosts: Hosts,
  { limits }: FrontConfig,
  log: Logger,
): DataPlane {
  const cache = config.cache && {
    ...config.cache,
    maxBytes: Math.min(config.cache.maxBytes, limits.cacheBytesPerSite),
  };
  const writeLog = (text: string) => writeAccessLog(paths, text);
  return createSitePlane({ config: { ...config, cache }, paths, log }, { hosts, writeLog });
}

/** By its name each time, so that the file can be moved away. A full disk costs lines, and nothing else. */
function writeAccessLog({ slots }: SitePaths, text: string): void {
  try {
    appendFileSync(join(slots, 'access.log'), text);
  } catch {}
}

/** Node begins to keep the limits of time when a server listens. */
function fed(server: Server): Server {
  server.emit('listening');
  return server;
}
