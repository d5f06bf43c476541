/** What a visitor's request and its answer are: our own reader's, or Node's of HTTP/1 or HTTP/2. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { Http2Request, Http2Response } from './http2-exchange.ts';
import type { PlainRequest, PlainResponse } from './plain-response.ts';

/** Those that Node's servers have parsed. */
export type ServedRequest = IncomingMessage | Http2Request;
export type ServedResponse = ServerResponse | Http2Response;

export type VisitorRequest = ServedRequest | PlainRequest;
export type VisitorResponse = ServedResponse | PlainResponse;

export function isHttp2(
  message: VisitorRequest,
): message is Http2Request | (IncomingMessage & Http2ServerRequest);
export function isHttp2(message: VisitorResponse): message is Http2Response;
/** By its kind, for an HTTP/1 parser lets a visitor claim any version. */
export function isHttp2(message: VisitorRequest | VisitorResponse): boolean {
  return 'stream' in message;
}

/** It knows no chunks, no informational answers, and no question before a body. */
export function isHttp10(request: VisitorRequest): boolean {
  return request.httpVersionMajor === 1 && request.httpVersionMinor === 0;
}
