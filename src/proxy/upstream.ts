import type { IncomingMessage } from 'node:http';
import { type buildConnector, type Dispatcher, Pool } from 'undici';
import { connectSlot } from './connect-slot.ts';
import { DirectSocket } from './direct-socket.ts';
import { type DispatchLimits, dispatchByNode, needsNode } from './node-dispatch.ts';

/**
 * Idle connections to a slot are given up before the site does it: Node's servers close theirs after 5 s, and
 * a request sent at that instant would be lost (nodejs/node #47130).
 */
const KEEP_ALIVE_MS = 4000;

/** Before the site's own hint (`Keep-Alive: timeout=5`) runs out, in milliseconds. */
const KEEP_ALIVE_MARGIN_MS = 1000;

/** Errors of connections that had answered before. */
const used = new WeakSet<Error>();

/** The connections to one slot. */
export interface Upstream {
  /**
   * @param incoming the visitor's request, which `options` was made from
   * @param over a connection that may have been used before, or one that has not
   */
  dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
    incoming: IncomingMessage,
    over: 'kept' | 'new',
  ): void;
}

export function createUpstream(port: number, limits: DispatchLimits): Upstream {
  const pool = createPool(port, limits);
  return {
    dispatch(options, handler, incoming, over) {
      if (over === 'new' || needsNode(incoming, options.path)) {
        dispatchByNode(port, options, handler, incoming, limits);
      } else pool.dispatch(options, handler);
    },
  };
}

function createPool(port: number, limits: DispatchLimits): Pool {
  return new Pool(`http://127.0.0.1:${port}`, {
    connect: connectTo(limits.connectTimeoutMs),
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
    headersTimeout: limits.headersTimeoutMs,
    bodyTimeout: limits.bodyTimeoutMs,
  });
}

function connectTo(timeoutMs: number): buildConnector.connector {
  return (options, callback) => {
    const socket = new DirectSocket();
    connectSlot(Number(options.port), timeoutMs, socket, (error) =>
      error ? callback(error, null) : callback(null, socket),
    );
    // undici does not say whether a connection that broke had been used before, and a retry depends on it.
    socket.on('error', (error) => {
      if (socket.bytesRead > 0) used.add(error);
    });
    return socket;
  };
}

/** No connection was made, so no byte of the request can have been processed. */
export function wasRefused(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
}

/** A connection that had answered before was closed. Says nothing about whether it had begun to answer again. */
export function wasUsedConnectionLost(error: Error): boolean {
  const { code, socket } = error as NodeJS.ErrnoException & { socket?: { bytesRead?: number } };
  if (code === 'UND_ERR_SOCKET') return (socket?.bytesRead ?? 0) > 0;
  return (code === 'ECONNRESET' || code === 'EPIPE') && used.has(error);
}

/** undici does not send such a request: a field or the path has a character that must not be there. */
export function wasInvalid(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED';
}

export function wasTimeout(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'ETIMEDOUT';
}
