import type { Server } from 'node:http';
import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createLiveSet, type LiveSetMember } from '../forward/live-set.ts';

/** The visitors' open connections, for a worker that has to end them one by one. */
export interface VisitorConnections {
  /** Those that speak HTTP/1.1 or WebSocket; with TLS from the end of the handshake on. */
  sockets(): Socket[];
  sessions: ReadonlySet<ServerHttp2Session>;
}

export function trackConnections(server: Server): VisitorConnections {
  const sockets = createLiveSet<Socket & LiveSetMember>();
  const sessions = new Set<ServerHttp2Session>();
  // One function for all of them: there may be ten thousand.
  function remove(this: Socket & LiveSetMember) {
    sockets.remove(this);
  }
  const add = (socket: Socket) => {
    if ((socket as TLSSocket).alpnProtocol === 'h2') return;
    sockets.add(socket as Socket & LiveSetMember);
    socket.on('close', remove);
  };
  server.on('setSecureContext' in server ? 'secureConnection' : 'connection', add);
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  return { sockets: sockets.all, sessions };
}
