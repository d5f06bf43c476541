import type { Server } from 'node:http';
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { afterReading } from '../../after-reading.ts';
import type { ProxyConfig } from '../../config/proxy-schema.ts';
import type { VisitorConnections } from './connections.ts';
import { answerOn } from './http2-exchange.ts';
import { idleLooks } from './plain-connection.ts';
import { isStopped } from './request.ts';
import { createStillness } from './stillness.ts';
import { readOn, tcpQueue } from './tcp-queue.ts';

/** Node too keeps a connection for so much longer than it says, in milliseconds: the visitor's next request may be on its way. */
const KEEP_ALIVE_MARGIN_MS = 1000;

const LONGEST_INTERVAL_MS = 1000;
const LOOKS_PER_LIMIT = 10;

/** A stream may stand still for so many times the limit while others of its session move. */
const SHARED_PATIENCE = 4;

/**
 * Cuts off visitors who take nothing of what waits for them (`limits.sendTimeoutMs`), or send no first or no next request
 * (`keepAliveTimeoutMs`; after one that was not plain that is Node's server's), and lets go of those who have gone without Node's
 * notice: by one look at all that is open instead of a timer for each. The limits are kept from below, by up to two looks.
 */
export function watchForStandstill(
  server: Server,
  open: VisitorConnections,
  config: ProxyConfig,
): void {
  const { sendTimeoutMs } = config.limits;
  const idleMs = config.keepAliveTimeoutMs || Number.POSITIVE_INFINITY;
  const intervalMs = lookInterval(Math.min(sendTimeoutMs, idleMs));
  const patience = Math.ceil(sendTimeoutMs / intervalMs);
  const idlePatience = idleMs / intervalMs;
  const keptPatience = (idleMs + KEEP_ALIVE_MARGIN_MS) / intervalMs;
  const stillness = createStillness();

  const lookAtSocket = (socket: Socket) => {
    if (socket.bytesRead === 0) {
      if (stillness.of(socket, 0) > idlePatience) socket.destroy();
      return;
    }
    if (idleLooks(socket) > keptPatience) {
      socket.destroy();
      return;
    }
    const { isWaiting, taken } = tcpQueue(socket);
    if (isWaiting && stillness.of(socket, taken) > patience) cutOff(socket);
  };

  const lookAtStream = (stream: ServerHttp2Stream) => {
    const session = stream.session as ServerHttp2Session | undefined;
    if (stream.destroyed || !session) return;
    if (stream.closed && !isStopped(stream)) {
      // After a reset that names no error Node waits for the rest of the answer to be sent, for ever.
      if (stillness.of(stream, -1) > 0) stream.destroy();
      return;
    }
    const { bufferSize } = stream;
    if (bufferSize === 0) return;
    const socket = open.socketOf(session);
    const isBlocked = socket !== undefined && tcpQueue(socket).isWaiting;
    if (socket && !isBlocked) readOn(socket);
    const still = stillness.of(stream, (answerOn(stream)?.handedOver ?? 0) - bufferSize);
    // Only data moves the window: no session lives on by pings.
    const sessionMoves = stillness.of(session, session.state.remoteWindowSize ?? 0) <= patience;
    if (still <= (sessionMoves ? SHARED_PATIENCE * patience : patience)) return;
    giveUp(stream);
    // The reset cannot get through either.
    if (socket && isBlocked && !sessionMoves) cutOff(socket);
  };

  const look = () => {
    for (const socket of open.sockets()) lookAtSocket(socket);
    for (const stream of open.streams()) lookAtStream(stream);
    for (const socket of open.leftOver()) {
      if (stillness.of(socket, tcpQueue(socket).taken) > patience) cutOff(socket);
    }
    stillness.endLook();
  };
  const timer = setInterval(afterReading, intervalMs, look).unref();
  server.on('close', () => clearInterval(timer));
}

function lookInterval(limitMs: number): number {
  return Math.min(LONGEST_INTERVAL_MS, Math.max(1, limitMs / LOOKS_PER_LIMIT));
}

/** By a reset where TLS does not forbid it: the kernel would keep megabytes for a visitor who does not read. */
function cutOff(socket: Socket): void {
  if ('encrypted' in socket) socket.destroy();
  else socket.resetAndDestroy();
}

function giveUp(stream: ServerHttp2Stream): void {
  stream.close(constants.NGHTTP2_CANCEL);
  stream.destroy();
}
