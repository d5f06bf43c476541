import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { readOn } from './tcp-queue.ts';

/** From so many waiting requests on a connection is not read from any more. What has been read by then is kept. */
const MOST_WAITING = 32;

/** A single read has room for fewer; a connection that gets here has found a way around the limit, and is closed. */
const MOST_KEPT = 4000;

/** On the socket itself, and only while requests wait there: most visitors wait for each answer. */
const PIPELINE = Symbol('pipeline');

/** Requests of one connection whose turn has not come. */
interface Pipeline {
  count: number;
  last: ServerResponse;
  /** Is done instead of the last one, which has turned out to be none. */
  insteadOfLast: (() => void) | null;
}

type Pipelined = Duplex & {
  [PIPELINE]?: Pipeline | undefined;
  /** The answer whose turn it is; node:http's own. */
  _httpMessage?: ServerResponse | null;
};

export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Begins each request in its turn: one of a connection is worked on at a time (RFC 9112 §9.3.2). node:http hands out all
 * that has been read at once, 1 300 requests in 46 KiB, and keeps only the answers in order.
 *
 * Requests whose connection is lost before their turn are never begun.
 */
export function inTurn(begin: RequestListener): RequestListener {
  return (request, response) => {
    // A response has its socket from the start unless another one is before it.
    if (response.socket === null) wait(request, response, begin);
    else begin(request, response);
  };
}

function wait(request: IncomingMessage, response: ServerResponse, begin: RequestListener): void {
  const socket = request.socket as Pipelined;
  if (socket.destroyed) return;
  if ('encrypted' in socket) readByStream(socket);
  const pipeline = socket[PIPELINE] ?? { count: 0, last: response, insteadOfLast: null };
  socket[PIPELINE] = pipeline;
  pipeline.last = response;
  pipeline.count++;
  if (pipeline.count === MOST_WAITING) stopReadingSoon(socket, pipeline);
  if (pipeline.count > MOST_KEPT) socket.destroy();
  response.once('socket', () => {
    if (--pipeline.count === 0) socket[PIPELINE] = undefined;
    if (pipeline.count < MOST_WAITING) socket.resume();
    if (pipeline.last === response && pipeline.insteadOfLast) pipeline.insteadOfLast();
    else begin(request, response);
  });
}

/** In the next tick: node:http has the socket resumed for each request that it hands out, in a tick before that one. */
function stopReadingSoon(socket: Pipelined, pipeline: Pipeline): void {
  process.nextTick(() => {
    if (pipeline.count >= MOST_WAITING) socket.pause();
  });
}

/**
 * Node's parser takes a connection's bytes past the stream. With TLS it goes on getting what has been decrypted while
 * node:http has it paused: a good request would be answered 400 (HPE_PAUSED). Where the stream holds bytes already, those
 * that come later overtake them in a long body (both ran, Node 24.21). A listener for `data` puts the stream between the
 * two, which waits and keeps the order.
 */
export function readByStream(socket: Duplex): void {
  if (socket.listeners('data').includes(ignore)) return;
  socket.on('data', ignore);
  // node:http takes its own listener away, and may have stopped the handle before.
  socket.on('resume', startReading);
}

function ignore(): void {}

function startReading(this: Duplex): void {
  readOn(this as Socket);
}

/** The last answer that a connection still owes, or `null`. */
export function lastOwed(socket: Duplex): ServerResponse | null {
  const { [PIPELINE]: pipeline, _httpMessage: current } = socket as Pipelined;
  return pipeline?.last ?? current ?? null;
}

/** Calls back once all that has been asked on a connection is answered; never if it is closed by then. */
export function afterAnswers(socket: Duplex, then: () => void): void {
  const last = lastOwed(socket);
  if (last === null) {
    then();
    return;
  }
  last.once('close', () => {
    if (socket.writable) then();
  });
}

/** Puts something in the place of a waiting request that has turned out to be none. */
export function insteadOfLast(socket: Duplex, then: () => void): void {
  const pipeline = (socket as Pipelined)[PIPELINE];
  if (pipeline) pipeline.insteadOfLast = then;
}
