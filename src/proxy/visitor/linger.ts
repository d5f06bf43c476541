import type { Duplex } from 'node:stream';
import type { VisitorRequest } from './kinds.ts';
import { PlainRequest } from './plain-response.ts';
import { stopReading } from './request.ts';

/** How long a body that nobody wants is read on, in milliseconds. */
const LINGER_MS = 2000;

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
  const timer = setTimeout(() => stopReading(request), LINGER_MS);
  request.on('end', done);
  request.on('close', () => {
    clearTimeout(timer);
    done();
  });
  request.on('error', () => {});
  request.resume();
}

/** How long a connection that is of no more use may take to read its last answer, in milliseconds. */
const CLOSE_GRACE_MS = 1000;

/** Ends a connection once the other side has read the answer, or does not want to. */
export function endSoon(socket: Duplex, answer: string): void {
  socket.on('error', () => {});
  socket.end(answer);
  socket.resume();
  setTimeout(() => socket.destroy(), CLOSE_GRACE_MS).unref();
}
