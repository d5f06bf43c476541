import {
  type Http2SecureServer,
  Http2ServerRequest,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { BAD_REQUEST, type ErrorAnswers, EXPECTATION_FAILED } from './error-answer.ts';
import { Http2Request, Http2Response } from './http2-exchange.ts';
import type { ServedRequest, ServedResponse } from './kinds.ts';

/** Hands out the requests of HTTP/2, in place of the listener that Node adds to a server that listens for `request`. */
export function serveStreams(
  server: Http2SecureServer,
  errors: ErrorAnswers,
  begin: (request: ServedRequest, response: ServedResponse) => void,
): void {
  server.removeAllListeners('stream');
  const take = (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    _flags: number,
    rawHeaders: string[],
  ) => {
    const response = new Http2Response(stream);
    const request = requestOn(stream, headers, rawHeaders);
    if (headers[':method'] === 'CONNECT') errors.send(request, response, BAD_REQUEST);
    else if (expectsMore(headers)) errors.send(request, response, EXPECTATION_FAILED);
    else begin(request, response);
  };
  server.on('stream', take);
}

function requestOn(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: string[],
): ServedRequest {
  if (stream.endAfterHeaders) return new Http2Request(stream, headers, rawHeaders);
  return new Http2ServerRequest(stream, headers, {}, rawHeaders) as unknown as ServedRequest;
}

/** RFC 9110 §10.1.1: `100-continue` is all that anybody may expect. */
function expectsMore({ expect }: IncomingHttpHeaders): boolean {
  return expect !== undefined && expect.toLowerCase() !== '100-continue';
}
