/**
 * The site's server is in our process, so we say where it listens: on the loopback address, whatever host the site asks for
 * (many ignore `HOST`, and the slot's port would be open to everybody), and by itself, whatever becomes of PM2. Its HTTP
 * server also takes connections over the instance's Unix socket.
 */
import type { Server as HttpServer } from 'node:http';
import { Server, type Socket } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { tellListening } from '../outlive-daemon.ts';
import { type RunSocket, takeRunSocket } from '../slots/run-socket.ts';
import { http } from './node-http.ts';

const LOOPBACK = '127.0.0.1';

/** Node's accounts of a server's connections, which its `close` waits for. */
interface Counted {
  _connections: number;
}

export interface SlotAddress {
  /** The slot's port; servers on other ports are the site's own affair. */
  port: number;
  /** The instance's Unix socket. */
  socket: string;
  /** Gets each port that a server of this process asks for. */
  onAsked(port: number): void;
  /** Is called when a server listens, and at the instance's socket too. */
  onServing?(server: Server, own: RunSocket): void;
}

/** From here on, for each server of this process. */
export function listenForSlot({ port, socket, onAsked, onServing }: SlotAddress): void {
  const { listen } = Server.prototype;
  Server.prototype.listen = function (this: Server, ...args: unknown[]) {
    const asked = readArguments(args);
    if (asked.port !== null) onAsked(asked.port);
    if (asked.port !== port) return Reflect.apply(listen, this, args);
    this.once('listening', async () => {
      try {
        // A server that is not HTTP's is reached on its port.
        const isHttp = this instanceof http.Server;
        const own = await (isHttp ? serveAt(socket, this, port) : standAt(socket));
        onServing?.(this, own);
      } catch (error) {
        // The slot's TCP port is there all the same.
        console.error(`slots: cannot listen at ${socket}: ${(error as Error).message}`);
      }
      tellListening(this);
    });
    const options = {
      ...asked.options,
      port,
      host: LOOPBACK,
      ipv6Only: false,
      exclusive: true,
      reusePort: true,
    };
    return Reflect.apply(listen, this, asked.callback ? [options, asked.callback] : [options]);
  } as typeof listen;
}

/** Gives the connections of the Unix socket to an HTTP server, for which they are like those of its port. */
async function serveAt(path: string, server: HttpServer, port: number): Promise<RunSocket> {
  const counted = server as unknown as Counted;
  const give = (socket: Socket) => {
    const owned = socket as unknown as { server: object; _server: Counted };
    owned._server._connections--;
    owned.server = server;
    owned._server = counted;
    counted._connections++;
    looksLikeTcp(socket, port);
    server.emit('connection', socket);
  };
  const own = await takeRunSocket(path, give, { allowHalfOpen: true });
  const { close } = server;
  server.close = function (this: HttpServer, ...args) {
    own.leave();
    return Reflect.apply(close, this, args);
  };
  return own;
}

/** `tcp…` instead of the slot's name, so that nobody asks for a page there. */
function standAt(socket: string): Promise<RunSocket> {
  const path = join(dirname(socket), `tcp${basename(socket)}`);
  return takeRunSocket(path, (connection) => connection.destroy());
}

/** A socket's path is no address: `trust proxy: loopback` would trust nobody, and logs would say `undefined`. */
function looksLikeTcp(socket: Socket, port: number): void {
  const value = (value: unknown) => ({ value, configurable: true });
  Object.defineProperties(socket, {
    remoteAddress: value(LOOPBACK),
    remoteFamily: value('IPv4'),
    localAddress: value(LOOPBACK),
    localPort: value(port),
  });
}

/** What `listen(port, host, backlog, callback)`, `listen({ port, … }, callback)` and their kin ask for. */
function readArguments(args: unknown[]): {
  port: number | null;
  options: Record<string, unknown>;
  callback: unknown;
} {
  const last = args.at(-1);
  const callback = typeof last === 'function' ? last : null;
  const [first, second, third] = args;
  if (typeof first === 'object' && first !== null) {
    const { path, port, fd, ...options } = first as Record<string, unknown>;
    const isTcp = path === undefined && fd === undefined && port !== undefined;
    return { port: isTcp ? Number(port) : null, options, callback };
  }
  const isPort = typeof first === 'number' || /^\d+$/.test(String(first));
  const backlog = [second, third].find((value) => typeof value === 'number');
  return {
    port: isPort ? Number(first) : null,
    options: backlog === undefined ? {} : { backlog },
    callback,
  };
}
