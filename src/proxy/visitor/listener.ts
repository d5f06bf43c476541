import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { ProxyConfig } from '../../config/proxy-schema.ts';
import {
  BAD_REQUEST,
  type ErrorAnswers,
  HEADERS_TOO_LARGE,
  REQUEST_TIMEOUT,
} from './error-answer.ts';
import { endSoon } from './linger.ts';
import { createTlsListener } from './tls.ts';
import { isHttp2 } from './visitor.ts';

/** How often Node looks for connections that take too long, in milliseconds; its default of 30 s is too rare. */
const CHECK_INTERVAL_MS = 1000;

/** How long a connection may be silent until TCP asks whether anybody is there, in milliseconds. */
const TCP_KEEP_ALIVE_MS = 60_000;

/** The public server, with its limits; strict about what is HTTP, since two readings of one request are an attack. */
export function createListener(config: ProxyConfig): Server {
  const options = httpOptions(config);
  const server = config.tls
    ? createTlsListener(config, config.tls, options)
    : createServer(options);
  server.maxConnections = config.limits.connections;
  // Node drops fields beyond this number without a word; they are counted and refused instead.
  server.maxHeadersCount = 0;
  return server;
}

export function httpOptions({ limits, keepAliveTimeoutMs }: ProxyConfig): ServerOptions {
  return {
    keepAliveTimeout: keepAliveTimeoutMs,
    headersTimeout: limits.headersTimeoutMs,
    // A body may take as long as it moves (proxy.limits.bodyIdleTimeoutMs).
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, limits.headersTimeoutMs),
    maxHeaderSize: limits.headerBytes,
    insecureHTTPParser: false,
    // Most requests have no body, and Node makes a stream of it all the same. A Node that does not know this ignores it.
    optimizeEmptyRequests: true,
    // RFC 9110 §7.8: an offer that is not taken up (`h2c`) makes an ordinary request.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    noDelay: true,
    // A visitor who has gone without a word is noticed, even on a WebSocket that is silent for days.
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
  };
}

/**
 * Answers bytes that are no request, and closes.
 *
 * @param isAnswering whether an answer's head has been sent on this connection, and its body has not ended
 */
export function refuseBadBytes(
  server: Server,
  errors: ErrorAnswers,
  isAnswering: (socket: Socket) => boolean,
): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const isHopeless = error.code === 'ECONNRESET' || isHandshakeError(error);
    if (!socket.writable || isHopeless || isAnswering(socket)) {
      socket.destroy();
      return;
    }
    endSoon(socket, errors.hasRefused(socket) ? '' : errors.raw(undefined, answerTo(error.code)));
  });
  server.on('connect', (request: IncomingMessage, to: Socket | ServerResponse) => {
    if (isHttp2(request)) errors.send(request, to as ServerResponse, BAD_REQUEST);
    else endSoon(to as Socket, errors.raw(undefined, BAD_REQUEST));
  });
}

/** There is no TLS to answer through. */
function isHandshakeError({ code }: NodeJS.ErrnoException): boolean {
  return code !== undefined && /^ERR_(SSL|TLS)_/.test(code);
}

function answerTo(code: string | undefined) {
  if (code === 'HPE_HEADER_OVERFLOW') return HEADERS_TOO_LARGE;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? REQUEST_TIMEOUT : BAD_REQUEST;
}
