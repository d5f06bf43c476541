import type { Server, ServerOptions } from 'node:http';
import {
  createSecureServer,
  type Http2SecureServer,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { ProxyConfig } from '../../config/proxy-schema.ts';
import { ACME_PROTOCOL } from '../../wire/assignment.ts';
import { type CertificateFiles, readCertificate } from './certificate.ts';
import type { Certificates } from './certificates.ts';
import type { ChallengeAnswers } from './challenges.ts';
import { isStopped } from './request.ts';

/** How much of one upload, and of all on one connection, may wait here for the slot, in bytes. */
const STREAM_WINDOW = 256 * 1024;
const SESSION_WINDOW = 1024 * 1024;

/** `:method`, `:scheme`, `:authority`, `:path`, and the pieces that a cookie may come in. */
const MAX_EXTRA_FIELDS = 100;

/** What the controller orders and keeps in `slots/certs/`. */
export interface OrderedCertificates {
  certificates: Pick<Certificates, 'standard' | 'contextFor'>;
  challenges: Pick<ChallengeAnswers, 'tls'>;
}

/**
 * The public server over TLS: HTTP/2 and HTTP/1.1 by ALPN. Has everything of an `http.Server` that is used of it.
 *
 * @param source `null`: connections come with their handshakes done
 * @param http1 the options of the plain one
 * @throws SlotsError `TLS_BAD`
 */
export function createTlsListener(
  config: ProxyConfig,
  source: CertificateFiles | OrderedCertificates | null,
  http1: ServerOptions,
): Server {
  const { limits, keepAliveTimeoutMs } = config;
  // Node turns the delay into seconds: the property must not be set.
  const { noDelay, keepAlive, keepAliveInitialDelay, ...requests } = http1;
  const tcp = { noDelay, keepAlive, keepAliveInitialDelay };
  const server = createSecureServer({
    ...(source && ('cert' in source ? readCertificate(source) : handshakesOf(source))),
    allowHTTP1: true,
    ...tcp,
    // A connection may be opened ahead of its first use, like one without TLS.
    handshakeTimeout: Math.max(limits.headersTimeoutMs, keepAliveTimeoutMs),
    unknownProtocolTimeout: limits.headersTimeoutMs,
    settings: {
      maxConcurrentStreams: limits.inflightPerConnection,
      // More than is taken (`objection` counts without RFC 9113's 32 bytes per field), so as to answer 431.
      maxHeaderListSize: 2 * limits.headerBytes + 32 * (limits.headerCount + MAX_EXTRA_FIELDS),
      initialWindowSize: STREAM_WINDOW,
      enablePush: false,
    },
    maxHeaderListPairs: limits.headerCount + MAX_EXTRA_FIELDS,
    // A slot may repeat a field; that is between it and the visitor.
    strictSingleValueFields: false,
    ...FLOOD_LIMITS,
  });
  // As properties, since not every Node takes all of these from `http1Options`.
  Object.assign(server, requests);
  if (source && 'challenges' in source) endChallenged(server);
  server.on('session', (session) => {
    session.setLocalWindowSize(SESSION_WINDOW);
    closeWhenIdle(session, keepAliveTimeoutMs);
  });
  return server as unknown as Server;
}

/** Of the config; without any it is certificates that are ordered. */
export function filesOf({ tls }: ProxyConfig): CertificateFiles {
  return { cert: tls?.cert ?? '', key: tls?.key ?? '' };
}

function handshakesOf({ certificates, challenges }: OrderedCertificates): SecureServerOptions {
  const { standard, contextFor } = certificates;
  return { ...standard, ...chosenByName({ contextFor, challengeFor: challenges.tls }) };
}

/** What handshakes are done with. */
export interface HandshakeContexts {
  /** @param host as the visitor names it */
  contextFor(host: string): SecureContext | undefined;
  /** What a CA's question about a host is answered with; `undefined` where nothing is asked. */
  challengeFor(host: string): SecureContext | undefined;
}

/**
 * The certificate by the host that a visitor names; a CA's question about one is answered with what it wants to see.
 *
 * In TLS 1.3 OpenSSL asks for the protocol before it asks for the certificate, and in TLS 1.2 after it.
 */
export function chosenByName(
  contexts: HandshakeContexts,
): Pick<SecureServerOptions, 'SNICallback' | 'ALPNCallback'> {
  const asked = new WeakMap<object, SecureContext>();
  return {
    SNICallback(this: unknown, host, done) {
      done(null, asked.get(this as TLSSocket) ?? contexts.contextFor(host));
    },
    ALPNCallback(this: unknown, { servername, protocols }) {
      // Node's type does not say that it is `false` where the visitor names no host.
      const isAsked = servername && protocols.includes(ACME_PROTOCOL);
      const answer = isAsked ? contexts.challengeFor(servername) : undefined;
      if (answer) {
        const socket = this as TLSSocket & { setKeyCert(context: SecureContext): void };
        asked.set(socket, answer);
        socket.setKeyCert(answer);
        return ACME_PROTOCOL;
      }
      return ['h2', 'http/1.1'].find((protocol) => protocols.includes(protocol));
    },
  };
}

/** How long a CA may take to close, in milliseconds. */
const CHALLENGED_MS = 5000;

/** The handshake is all that a CA looks at (RFC 8737 §3); Node would take its protocol for HTTP/2. */
function endChallenged(server: Http2SecureServer): void {
  const ofNode = server.listeners('secureConnection');
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol !== ACME_PROTOCOL) {
      for (const listener of ofNode) listener.call(server, socket);
      return;
    }
    socket.on('error', () => {});
    socket.setTimeout(CHALLENGED_MS, () => socket.destroy());
    socket.resume().end();
  });
}

/** Cheap frames that cost the other side work; more than these end the connection. */
const FLOOD_LIMITS = {
  /** Resets (CVE-2023-44487): so many at once, as when somebody leaves a page, and so many each second. */
  streamResetBurst: 300,
  streamResetRate: 33,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
  maxOutstandingPings: 10,
  maxSettings: 32,
  /** Megabytes. */
  maxSessionMemory: 10,
};

/** Ends a session without a stream after a while; a quiet event stream keeps its own open. */
function closeWhenIdle(session: ServerHttp2Session, idleMs: number): void {
  let streams = 0;
  session.on('stream', (stream) => {
    streams++;
    stream.on('end', endIfReset);
    stream.on('close', () => {
      // A time that has run out under a stream does not begin again by itself.
      if (--streams === 0) session.setTimeout(idleMs);
    });
  });
  session.setTimeout(idleMs);
  session.on('timeout', () => {
    if (streams === 0) session.close();
  });
}

/**
 * Node waits for the rest of an answer to be sent, for ever, after a reset that names no error. Where the request has not
 * been read to its end there is no event, and where the answer has ended such a reset looks like its last frame: the look at
 * all streams finds it then.
 */
function endIfReset(this: ServerHttp2Stream): void {
  if (!this.closed || !this.aborted || isStopped(this)) return;
  // After Node's own listener, which ends a stream that has been sent.
  process.nextTick(() => this.destroy());
}
