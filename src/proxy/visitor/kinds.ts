/** What a visitor's request and its answer are: our own reader's, or Node's of HTTP/1 or HTTP/2. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import type { PlainRequest, PlainResponse } from './plain-response.ts';

export type VisitorRequest = IncomingMessage | PlainRequest;
export type VisitorResponse = ServerResponse | PlainResponse;

export function isHttp2(message: VisitorRequest): boolean;
export function isHttp2(message: VisitorResponse): message is ServerResponse & Http2ServerResponse;
/** By its kind, for an HTTP/1 parser lets a visitor claim any version. */
export function isHttp2(message: VisitorRequest | VisitorResponse): boolean {
  return 'stream' in message;
}

/** It knows no chunks, no informational answers, and no question before a body. */
export function isHttp10(request: VisitorRequest): boolean {
  return request.httpVersionMajor === 1 && request.httpVersionMinor === 0;
}
