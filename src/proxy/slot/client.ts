import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { type buildConnector, type Dispatcher, Pool } from 'undici';
import { connectSlot } from './connect.ts';
import { createSlotConnections, KEEP_ALIVE_MARGIN_MS, KEEP_ALIVE_MS } from './connections.ts';
import { type DispatchLimits, dispatchByNode, needsNode } from './node-dispatch.ts';
import { requestHead } from './request-head.ts';

/** The way to one slot: over connections of our own, over undici's for a body, or over Node's for what undici cannot. */
export interface SlotClient {
  /**
   * @param incoming the visitor's request, which `options` was made from
   * @param over a connection that may have been used before, or one that has not; is for requests without a body,
   *   for no other is sent a second time to the same slot
   */
  dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
    incoming: IncomingMessage,
    over: 'kept' | 'new',
  ): void;
}

export function createSlotClient(port: number, limits: DispatchLimits): SlotClient {
  const pool = createPool(port, limits);
  const connections = createSlotConnections(port, limits);

  const send = (
    method: string,
    path: string,
    fields: readonly string[],
    handler: Dispatcher.DispatchHandler,
    over: 'kept' | 'new',
  ) => {
    let head: string;
    try {
      head = requestHead(method, path, fields);
    } catch (error) {
      // As undici does with a request that it refuses.
      handler.onResponseError?.(null as never, error as Error);
      return;
    }
    connections.send({ method, head, handler }, over);
  };

  return {
    dispatch(options, handler, incoming, over) {
      const { method, path, headers, body } = options;
      if (body === null) send(method, path, headers as string[], handler, over);
      else if (needsNode(incoming, path)) {
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
    const socket = new Socket({ allowHalfOpen: false, noDelay: true });
    return connectSlot(Number(options.port), timeoutMs, socket, (error) =>
      error ? callback(error, null) : callback(null, socket),
    );
  };
}
