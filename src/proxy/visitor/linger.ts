import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterReading } from '../../after-reading.ts';
import { isHttp2, type VisitorRequest } from './kinds.ts';
import { PlainRequest } from './plain-response.ts';
import { stopReading } from './request.ts';

/** How long a body that nobody wants is read on without a byte of it, in milliseconds. */
const LINGER_IDLE_MS = 2000;

/** How long in all: nginx's `lingering_time`. Over HTTP/2 a stream is reset with no harm to its answer, so it need not be long. */
const LINGER_MS = 30_000;
const LINGER_HTTP2_MS = 2000;

/**
 * Reads and drops the rest of a request whose answer is under way already. Closing a socket with unread bytes
 * resets it, and the reset can overtake the answer (RFC 9112 §9.6).
 *
 * @param done is called when all of the request has been read, or no more of it is going to be
 */
export function linger(request: VisitorRequest, done: () => void = () => {}): void {
  if (request instanceof PlainRequest || request.complete || request.destroyed) {
    done();
    return;
  }
  const stop = () => stopReading(request);
  const total = setTimeout(stop, isHttp2(request) ? LINGER_HTTP2_MS : LINGER_MS);
  let pieces = 0;
  const idle = setTimeout(() => {
    const before = pieces;
    afterReading(() => {
      if (pieces === before) stop();
    });
  }, LINGER_IDLE_MS);
  request.on('data', () => {
    pieces++;
    idle.refresh();
  });
  request.on('end', done);
  request.on('close', () => {
    clearTimeout(total);
    clearTimeout(idle);
    done();
  });
  request.on('error', () => {});
  request.resume();
}

/** How long a connection that is of no more use may take to read its last answer, in milliseconds. */
const CLOSE_GRACE_MS = 1000;

/** The same for one that was of use until now: nginx's `lingering_timeout`. */
const STAGES_GRACE_MS = 5000;

/** Ends a connection once the other side has read the answer, or does not want to. */
export function endSoon(socket: Duplex, answer: string, graceMs = CLOSE_GRACE_MS): void {
  socket.on('error', () => {});
  socket.end(answer);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), graceMs).unref();
  socket.once('close', () => clearTimeout(timer));
}

const closing = new WeakSet<Duplex>();

/** Whether the last answer of a connection has been given: what it still brings is not processed any more (RFC 9112 §9.6). */
export function isClosing(socket: Duplex): boolean {
  return closing.has(socket);
}

/**
 * Closes a connection whose last answer has been given: it is read until the visitor has read that, and ends the connection
 * too. What a visitor sends meanwhile, the next of pipelined requests, would otherwise be answered with a reset, which can
 * take the answers that are on their way with it (RFC 9112 §9.6).
 */
export function endInStages(socket: Duplex): void {
  closing.add(socket);
  endSoon(socket, '', STAGES_GRACE_MS);
}

/** Lets node:http close a connection in stages. */
export function closeInStages(socket: Socket): void {
  socket.destroySoon = destroySoon;
}

function destroySoon(this: Socket): void {
  endInStages(this);
}
