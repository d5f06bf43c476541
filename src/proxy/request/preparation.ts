import type { Socket } from 'node:net';
import type { ProxyConfig } from '../../config/proxy-schema.ts';
import type { SeenEpoch } from '../fleet/epoch-cookie.ts';
import { BAD_REQUEST, type ErrorAnswer, HEADERS_TOO_LARGE } from '../visitor/error-answer.ts';
import { isHttp2, type ServedRequest } from '../visitor/kinds.ts';
import type { PlainRequest } from '../visitor/plain-response.ts';
import { connectionOf, fieldsOf } from '../visitor/request.ts';
import { objection } from './admission.ts';
import { type Peer, toSlotFields } from './fields.ts';
import { createPeerLookup } from './peer.ts';
import { createRequestIds } from './request-id.ts';
import { authorityOf, isAuthority, parseTarget } from './target.ts';

/** A request as a slot gets it. */
export interface Prepared {
  path: string;
  /** Fields, name and value in turn. */
  headers: string[];
  /** The connection that it came on. */
  peer: Peer;
  /** With `fleet.monotonic`: which epoch its visitor has seen. */
  seen?: SeenEpoch;
}

/** Makes it, or the answer to a request that no slot gets. */
export interface Preparation {
  any(request: ServedRequest): Prepared | ErrorAnswer;
  /** The reader of plain requests has refused already what the rules of HTTP refuse. */
  plain(request: PlainRequest): Prepared | ErrorAnswer;
  peerOf(socket: Socket): Peer;
}

export function createPreparation(config: ProxyConfig): Preparation {
  const peerOf = createPeerLookup(config.trustedProxies);
  const nextRequestId = createRequestIds();
  /** Most requests are for the same host as the one before. */
  let goodHost = '';
  const isGoodHost = (host: string): boolean => {
    if (host === goodHost) return true;
    if (!isAuthority(host)) return false;
    goodHost = host;
    return true;
  };
  const any = (request: ServedRequest) => {
    const fields = fieldsOf(request);
    const refused = objection(request, fields, config.limits);
    if (refused) return refused;
    const target = parseTarget(request.method as string, request.url as string);
    if (!target) return BAD_REQUEST;
    const host = authorityOf(target, request.headers);
    // RFC 9112 §3.2: a Host field that cannot be one is answered 400.
    if (host === '' ? isHttp2(request) : !isGoodHost(host)) return BAD_REQUEST;
    const peer = peerOf(connectionOf(request));
    const { connection } = request.headers;
    const headers = toSlotFields(fields, connection, host, peer, nextRequestId());
    return headers ? { path: target.path, headers, peer } : BAD_REQUEST;
  };
  const plain = (request: PlainRequest) => {
    const { host, connection } = request.headers;
    if (!isGoodHost(host)) return BAD_REQUEST;
    const fields = request.rawHeaders;
    if (fields.length > config.limits.headerCount * 2) return HEADERS_TOO_LARGE;
    const peer = peerOf(request.socket);
    const headers = toSlotFields(fields, connection, host, peer, nextRequestId());
    return headers ? { path: request.url, headers, peer } : BAD_REQUEST;
  };
  return { any, plain, peerOf };
}
