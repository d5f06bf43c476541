import type { Server } from 'node:http';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createLiveSet, type LiveSet, type LiveSetMember } from '../live-set.ts';

/** The visitors' open connections, for a worker that has to end them one by one. */
export interface VisitorConnections {
  /** Those that speak HTTP/1.1 or WebSocket; with TLS from the end of the handshake on. */
  sockets(): Socket[];
  sessions: ReadonlySet<ServerHttp2Session>;
  /** The streams of all sessions. */
  streams(): ServerHttp2Stream[];
  /** The socket below each open session, by its session; Node keeps it until the very end. */
  socketOf(session: ServerHttp2Session): TLSSocket | undefined;
  /** How many are open. */
  count(): number;
  /** Sockets whose session is over; they should be closed soon. */
  leftOver(): TLSSocket[];
}

export function trackConnections(server: Server): VisitorConnections {
  const sockets = createLiveSet<Socket & LiveSetMember>();
  const streams = createLiveSet<ServerHttp2Stream & LiveSetMember>();
  const below = new Map<ServerHttp2Session, TLSSocket>();
  const sessions = new Set<ServerHttp2Session>();
  const removeSocket = removerFrom(sockets);
  const removeStream = removerFrom(streams);
  let newest: TLSSocket | null = null;

  const add = (socket: Socket) => {
    if ((socket as TLSSocket).alpnProtocol === 'h2') {
      newest = socket as TLSSocket;
      return;
    }
    sockets.add(socket as Socket & LiveSetMember);
    socket.on('close', removeSocket);
  };
  // Before Node's own listener, which makes the session.
  server.prependListener('setSecureContext' in server ? 'secureConnection' : 'connection', add);
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    if (newest) {
      below.set(session, newest);
      newest.on('close', () => below.delete(session));
      newest = null;
    }
    session.on('stream', (stream) => {
      streams.add(stream as ServerHttp2Stream & LiveSetMember);
      stream.on('close', removeStream);
    });
  });
  return {
    sockets: sockets.all,
    sessions,
    streams: streams.all,
    count: () => sockets.size() + below.size,
    socketOf: (session) => below.get(session),
    leftOver: () => [...below].flatMap(([{ destroyed }, socket]) => (destroyed ? [socket] : [])),
  };
}

/** One function for all members of a set: there may be ten thousand. */
function removerFrom<T extends LiveSetMember>(set: LiveSet<T>): (this: T) => void {
  return function remove(this: T) {
    set.remove(this);
  };
}
