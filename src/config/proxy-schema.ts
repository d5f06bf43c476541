import { z } from 'zod';
import { milliseconds as ms } from './milliseconds.ts';
import { tlsSchema } from './tls-schema.ts';
import { isTrustable, TRUSTABLE } from './trusted-proxies.ts';

const count = z.int().min(1);

/** Per worker. What a visitor may ask of the proxy, and the proxy of the site, at most. */
const limitsSchema = z
  .strictObject({
    /** How long a visitor may take to send a request's head, in milliseconds from its first byte on (408). */
    headersTimeoutMs: ms.min(1).default(15_000),
    /** How long a request's body may stand still, in milliseconds. */
    bodyIdleTimeoutMs: ms.min(1).default(30_000),
    /** How long a visitor may take nothing of an answer that waits for them, in milliseconds; then the answer is cut. */
    sendTimeoutMs: ms.min(1).default(30_000),
    /** Size of a request's head, in bytes (431). */
    headerBytes: count.default(16_384),
    /** Fields in a request's head (431). */
    headerCount: count.default(100),
    /** Size of a request's body, in bytes (413). 0: no limit. It is streamed, so its size costs no memory. */
    bodyBytes: z.int().min(0).default(1_073_741_824),
    /** Open connections; more are closed at once. */
    connections: count.default(16_384),
    /** Requests of one visitor's connection that are worked on at a time (HTTP/2); HTTP/1.1 has one. */
    inflightPerConnection: count.default(100),
    /**
     * Requests of one address that are worked on at a time (429); of IPv6, of one /64. `proxy.trustedProxies` are not
     * limited.
     */
    inflightPerPeer: count.default(250),
    /** Requests that one slot works on at a time; more wait. WebSockets do not count. */
    inflightPerSlot: count.default(1000),
    /** Requests that wait for one slot; more are answered 503. */
    queuedPerSlot: z.int().min(0).default(200),
    /** How long a request waits for its slot, in milliseconds (503). */
    queueTimeoutMs: ms.min(1).default(5000),
    /** How long the site may take to accept a connection, in milliseconds (504). */
    connectTimeoutMs: ms.min(1).default(3000),
    /** Size of the head of a site's answer, in bytes (502). */
    answerHeadBytes: count.default(65_536),
    /** How long the site's answer may stand still, in milliseconds. 0: no limit, for quiet event streams. */
    upstreamIdleTimeoutMs: ms.default(0),
  })
  .prefault({});

/** `proxy` of the config: the data plane's shape and limits. */
export const proxySchema = z
  .strictObject({
    /** Processes that share the public port. */
    workers: z.int().min(1).max(64).default(2),
    /** Whether each response names its release in `x-slots-release`. */
    exposeRelease: z.boolean().default(true),
    /**
     * Text from 1 KiB on leaves compressed (zstd, br or gzip) for visitors who take it, unless the site has done so itself or
     * says `Cache-Control: no-transform`. Its strong `ETag` becomes a weak one, which no `If-Match` fits.
     */
    compress: z.boolean().default(true),
    /** Whether each request is a line in the proxy's log. */
    accessLog: z.boolean().default(false),
    /**
     * `cookie`: a visitor stays with one instance while it lives, by the cookie `slots-instance`; for sessions in memory.
     * Instances are told apart by their Unix sockets: a site whose server is no `http.Server` gets no cookie.
     */
    affinity: z.union([z.literal(false), z.literal('cookie')]).default(false),
    /** Peers whose `X-Forwarded-*` and `X-Request-Id` are believed: IPs, CIDRs or `loopback`. */
    trustedProxies: z
      .array(z.string().refine(isTrustable, { message: TRUSTABLE }))
      .default(['loopback']),
    /** How long a visitor's connection may stay idle, before its first request and between two, in milliseconds. */
    keepAliveTimeoutMs: ms.default(65_000),
    /** How long the site may take for the head of an answer, in milliseconds (504). */
    upstreamTimeoutMs: ms.min(1).default(60_000),
    /** A folder of `<status>.html` and `<status>.json` that replace the proxy's own error answers; `maintenance.html` and `.json` of `slots maintenance`. */
    errorPages: z.string().min(1).optional(),
    limits: limitsSchema,
    /** Serve HTTPS (HTTP/2 and HTTP/1.1) on the public port. */
    tls: tlsSchema.optional(),
  })
  .prefault({});

export type ProxyConfig = z.output<typeof proxySchema>;
export type ProxyLimits = z.output<typeof limitsSchema>;
