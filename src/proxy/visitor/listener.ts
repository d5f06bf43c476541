import { createServer, type IncomingMessage, type Server, type ServerOptions } from 'node:http';
import type { Http2SecureServer } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ProxyConfig } from '../../config/proxy-schema.ts';
import {
  BAD_REQUEST,
  type ErrorAnswers,
  HEADERS_TOO_LARGE,
  REQUEST_TIMEOUT,
} from './error-answer.ts';
import { serveStreams } from './http2-listener.ts';
import type { ServedRequest, ServedResponse } from './kinds.ts';
import { closeInStages, endSoon, isClosing } from './linger.ts';
import { noteProtocol } from './other-protocol.ts';
import { inheritTcpOptions, TCP_OPTIONS } from './tcp-options.ts';
import { createTlsListener, filesOf, type OrderedCertificates } from './tls.ts';
import { afterAnswers, insteadOfLast, inTurn, lastOwed, type RequestListener } from './turns.ts';

/** How often Node looks for connections that take too long, in milliseconds; its default of 30 s is too rare. */
const CHECK_INTERVAL_MS = 1000;

const HEAD_TIMEOUT = 'ERR_HTTP_REQUEST_TIMEOUT';

/**
 * The public server, with its limits; strict about what is HTTP, since two readings of one request are an attack.
 *
 * @param ordered the certificates, where they are not files of the config
 * @param isFed whether it never listens: it is given connections, with their handshakes done
 */
export function createListener(
  config: ProxyConfig,
  ordered: OrderedCertificates | null = null,
  isFed = false,
): Server {
  const options = httpOptions(config);
  const server = config.tls
    ? createTlsListener(config, isFed ? null : (ordered ?? filesOf(config)), options)
    : createServer(options);
  // Node begins to keep the limits of time when a server listens.
  if (isFed) server.emit('listening');
  else inheritTcpOptions(server);
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
    shouldUpgradeCallback: asksForWebSocket,
    ...TCP_OPTIONS,
  };
}

export interface VisitorHandlers {
  request(request: ServedRequest, response: ServedResponse): void;
  /** @param head what has been read of what follows the request */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** Hands out what visitors ask, that of one connection in its order, and answers what is no request. */
export function serveVisitors(
  server: Server,
  errors: ErrorAnswers,
  { request, upgrade }: VisitorHandlers,
): void {
  const begin = inTurn(request);
  // One listener: with two, Node copies the list of them for each request.
  const listen: RequestListener = (request, response) => {
    noteProtocol(request);
    if (isClosing(request.socket)) {
      request.resume();
      return;
    }
    closeInStages(request.socket);
    begin(request, response);
  };
  server.on('request', listen);
  // Without this Node invites a body that may be refused; an upload asks for it when the slot wants it.
  server.on('checkContinue', listen);
  if ('setSecureContext' in server)
    serveStreams(server as unknown as Http2SecureServer, errors, request);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Node has taken its own listeners away.
    socket.on('error', () => {});
    if (isClosing(socket)) socket.resume();
    else afterAnswers(socket, () => upgrade(request, socket, head));
  });
  server.on('connect', (_request: IncomingMessage, to: Duplex) => {
    if (isClosing(to)) to.resume();
    else afterAnswers(to, () => endSoon(to, errors.raw(undefined, BAD_REQUEST)));
  });
  refuseBadBytes(server, errors);
}

/** Answers bytes that are no request, after what has been asked well before them, and closes. */
function refuseBadBytes(server: Server, errors: ErrorAnswers): void {
  const refused = new WeakSet<Socket>();
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // Node's time for a head begins with the connection. One that is idle has a limit of its own.
    if (error.code === HEAD_TIMEOUT && socket.bytesRead === 0) return;
    if (isClosing(socket)) return;
    if (!socket.writable || error.code === 'ECONNRESET' || isHandshakeError(error)) {
      socket.destroy();
      return;
    }
    // Ignore later pieces: Node's parser says the same of each.
    if (refused.has(socket)) return;
    refused.add(socket);
    const refuse = () => endSoon(socket, errors.raw(undefined, answerTo(error.code)));
    const owed = lastOwed(socket);
    if (errors.hasRefused(socket)) endSoon(socket, '');
    else if (owed === null || owed.req.complete) afterAnswers(socket, refuse);
    else if (owed.socket === null) insteadOfLast(socket, refuse);
    else if (owed.headersSent) socket.destroy();
    else refuse();
  });
}

/**
 * Any other offer is an ordinary request that is not taken up on it (RFC 9110 §7.8), and is counted as one: `h2c`, one of
 * HTTP/1.0, and what brings a body, which nobody would read.
 */
function asksForWebSocket({ headers, httpVersion }: IncomingMessage): boolean {
  if (httpVersion === '1.0') return false;
  const { upgrade, 'content-length': length, 'transfer-encoding': coding } = headers;
  if (upgrade?.toLowerCase() !== 'websocket') return false;
  return coding === undefined && (length === undefined || Number(length) === 0);
}

/** There is no TLS to answer through. */
function isHandshakeError({ code }: NodeJS.ErrnoException): boolean {
  return code !== undefined && /^ERR_(SSL|TLS)_/.test(code);
}

function answerTo(code: string | undefined) {
  if (code === 'HPE_HEADER_OVERFLOW') return HEADERS_TOO_LARGE;
  return code === HEAD_TIMEOUT ? REQUEST_TIMEOUT : BAD_REQUEST;
}
