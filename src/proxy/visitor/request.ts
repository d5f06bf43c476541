/** The visitor's side of an exchange: the request, where plain ones, Node's HTTP/1.1 and HTTP/2 differ. */
import { IncomingMessage } from 'node:http';
import { constants, type Http2ServerRequest, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { Http2Request } from './http2-exchange.ts';
import { isHttp2, isHttp10, type ServedRequest, type VisitorRequest } from './kinds.ts';
import { PlainRequest } from './plain-response.ts';

/** A request's fields as pairs; without the pseudo-fields of HTTP/2, and its cookie in one piece (RFC 9113 §8.2.3). */
export function fieldsOf(request: VisitorRequest): string[] {
  const { rawHeaders } = request;
  if (!isHttp2(request)) return rawHeaders;
  const out: string[] = [];
  let cookie = -1;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const value = rawHeaders[i + 1] as string;
    if (name.startsWith(':')) continue;
    if (name === 'cookie' && cookie !== -1) {
      out[cookie] += `; ${value}`;
      continue;
    }
    if (name === 'cookie') cookie = out.length + 1;
    out.push(name, value);
  }
  return out;
}

/**
 * The connection that a request came on. Of HTTP/2 it is the session's: `request.socket` would make a Proxy for each request.
 */
export function connectionOf(request: VisitorRequest): Socket {
  if (!isHttp2(request)) return request.socket;
  return request.stream.session?.socket ?? request.socket;
}

/** Reads what is left of a request, which nobody answers. */
export function drop(request: ServedRequest): void {
  if (request instanceof IncomingMessage) request.resume();
}

/** Whether a body comes after a request's head. */
export function hasBody(request: VisitorRequest): request is IncomingMessage {
  if (request instanceof PlainRequest) return false;
  if (isHttp2(request)) return !(request instanceof Http2Request);
  const { 'transfer-encoding': coding, 'content-length': length } = request.headers;
  return coding !== undefined || (length !== undefined && length !== '0');
}

/** Whether a request's body ends here because the visitor gave it up: HTTP/2 calls that an end too. */
export function isBrokenOff(request: IncomingMessage): boolean {
  return isHttp2(request) && (request.aborted || streamOf(request).rstCode !== 0);
}

/** Streams that we have closed, their answers being sent. */
const stopped = new WeakSet<ServerHttp2Stream>();

/**
 * Wants no more of a request, without harm to an answer that is under way.
 *
 * Over HTTP/2 the stream is closed once its answer has gone, and not before: Node puts the reset of such a `close` off until
 * then, but forgets it when the stream is destroyed meanwhile. nghttp2 then asks a stream that is not there for its data, and
 * as soon as the visitor opens the window writes empty DATA frames for ever, gigabytes of them (ran, Node 24.21).
 */
export function stopReading(request: IncomingMessage): void {
  if (!isHttp2(request)) {
    request.destroy();
    return;
  }
  const stream = streamOf(request);
  const close = () => {
    stopped.add(stream);
    stream.close(constants.NGHTTP2_NO_ERROR);
  };
  request.pause();
  if (stream.writableFinished) close();
  else stream.once('finish', close);
}

/** Whether a stream says `closed` only because of us. */
export function isStopped(stream: ServerHttp2Stream): boolean {
  return stopped.has(stream);
}

function streamOf(request: IncomingMessage): Http2ServerRequest['stream'] {
  return (request as unknown as Http2ServerRequest).stream;
}

/** Whether the visitor asks before it sends a body. RFC 9110 §10.1.1: HTTP/1.0 does not know the question. */
export function expectsContinue(request: IncomingMessage): boolean {
  return request.headers.expect !== undefined && !isHttp10(request);
}
