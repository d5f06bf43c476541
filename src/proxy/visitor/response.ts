/** The visitor's side of an exchange: the answer, where plain ones, Node's HTTP/1.1 and HTTP/2 differ. */
import { ServerResponse, STATUS_CODES } from 'node:http';
import { constants } from 'node:http2';
import { isForMany } from '../fleet/epoch-cookie.ts';
import { latin1 } from '../request/latin1.ts';
import { Http2Response } from './http2-exchange.ts';
import { isHttp2, isHttp10, type VisitorRequest, type VisitorResponse } from './kinds.ts';
import { informational, PlainResponse } from './plain-response.ts';
import { isStopped } from './request.ts';

const COOKIE = Symbol('cookie');

/** A cookie of the proxy's own goes out with an answer, whoever gives it; but not where caches may keep that for others. */
export function setCookieWith(response: VisitorResponse, cookie: string | null): void {
  (response as { [COOKIE]?: string | null })[COOKIE] = cookie;
}

/** Sends an answer's head: fields in order, repeated ones apart. */
export function writeHead(
  response: VisitorResponse,
  status: number,
  message: string,
  fields: string[],
): void {
  // RFC 9110 §8.6: it must not have one, and an HTTP/2 client ends the stream for it.
  if (status === 204) dropField(fields, 'content-length');
  const cookie = (response as { [COOKIE]?: string | null })[COOKIE] ?? null;
  // Not pushed: the fields may be those of a stored answer.
  const all = cookie === null || isForMany(fields) ? fields : [...fields, 'Set-Cookie', cookie];
  if (response instanceof Http2Response) response.writeHead(status, all);
  else response.writeHead(status, toReason(status, message), all);
}

/** Drops `Trailer` from the fields of an answer that cannot have any: Node throws on it. */
export function dropVainTrailer(response: VisitorResponse, status: number, fields: string[]): void {
  if (isHttp2(response)) return;
  const { req } = response;
  let cannot = req.method === 'HEAD' || status === 204 || status === 304 || isHttp10(req);
  const names = fields.map((word, i) => (i % 2 === 0 ? word.toLowerCase() : ''));
  cannot ||= names.includes('content-length');
  if (cannot) dropField(fields, 'trailer');
}

/** @param lower the field's name in lower case */
function dropField(fields: string[], lower: string): void {
  for (let i = fields.length - 2; i >= 0; i -= 2) {
    if ((fields[i] as string).toLowerCase() === lower) fields.splice(i, 2);
  }
}

/** A slot's reason phrase if Node can send it: it throws on characters that are not Latin-1. */
function toReason(status: number, message: string): string {
  if (message === STATUS_CODES[status]) return message;
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(message) ? message : '';
}

/** Sends an informational answer (RFC 9110 §15.2), unless the visitor is too old to know of any. */
export function writeInformational(
  response: VisitorResponse,
  status: number,
  fields: string[],
): void {
  if (response instanceof PlainResponse) {
    response.writeInformational(informational(status, fields));
    return;
  }
  if (response instanceof Http2Response) {
    response.writeInformational(status, fields);
    return;
  }
  // A pipelined answer whose turn has not come has no socket yet.
  if (!response.socket || isHttp10(response.req)) return;
  // writeEarlyHints() knows `link` only, and throws on values that it does not like.
  response.socket.write(informational(status, fields), 'latin1');
}

/**
 * Keeps back what is written of an answer until `uncork`, or its end. It is the socket that is corked: a response that is
 * corked itself and then ends loses all chunks but the first (seen with Node 24.21).
 */
export function cork(response: VisitorResponse): void {
  if (!isHttp2(response)) response.socket?.cork();
}

export function uncork(response: VisitorResponse): void {
  if (!isHttp2(response)) response.socket?.uncork();
}

/** Up to this many bytes an answer's end is cheaper as a string. */
const SMALL_BYTES = 8192;

/**
 * Ends an answer with its last piece. Node joins a head and a string into one write, but puts a head and a Buffer
 * into a vector of two, which costs more than the copy as long as it is small.
 */
export function endWith(response: VisitorResponse, chunk: Buffer): void {
  if (response instanceof PlainResponse) {
    response.end(chunk);
    return;
  }
  if (chunk.length > SMALL_BYTES || isHttp2(response)) response.end(chunk);
  else response.end(latin1(chunk), 'latin1');
}

/** Whether all of an answer has gone out. A reset ends an HTTP/2 stream in a way that looks finished too. */
export function isSentWhole(response: VisitorResponse): boolean {
  if (!isHttp2(response)) return response.writableFinished;
  return response.writableEnded && response.stream.rstCode === constants.NGHTTP2_NO_ERROR;
}

/** Calls back when an answer has ended or its visitor is gone, and perhaps more than once. */
export function onGone(response: VisitorResponse, gone: () => void): void {
  // `close` comes for every response, finished or not; `finish` and `end` do not (hazard 8).
  if (response instanceof ServerResponse) response.on('close', gone);
  else response.onGone(gone);
}

/** Whether nobody is there any more to take an answer. */
export function isGone(request: VisitorRequest, response: VisitorResponse): boolean {
  if (!isHttp2(response)) return request.socket.destroyed;
  const { stream } = response;
  const isClosed = stream.closed && !isStopped(stream);
  return stream.destroyed || isClosed || stream.session?.destroyed !== false;
}

/** Ends an answer so that nobody can take it for complete. */
export function breakOff(response: VisitorResponse): void {
  if (isHttp2(response)) {
    response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    return;
  }
  // The end of a connection is a good end to HTTP/1.0: only a reset tells the difference.
  if (response.headersSent && isHttp10(response.req) && !isEncrypted(response)) {
    response.socket?.resetAndDestroy();
  }
  response.destroy();
}

/** How long a stream that is cut may take to get its last bytes out, in milliseconds. */
const CUT_GRACE_MS = 1000;

/** Ends an answer that has no length of its own, so that it is complete as it is. */
export function cutStream(response: VisitorResponse): void {
  response.end();
  // A visitor who has gone without a word takes no end either.
  setTimeout(() => breakOff(response), CUT_GRACE_MS).unref();
}

/** Calls back once the visitor takes more of an answer's body. */
export function onDrain(response: VisitorResponse, goOn: () => void): void {
  if (response instanceof ServerResponse) response.once('drain', goOn);
  else response.onDrain(goOn);
}

/** Calls back once all that has been written of an answer's body is on its way: `drain` is only for those who were told to wait. */
export function whenTaken(response: VisitorResponse, goOn: () => void): void {
  if (response instanceof ServerResponse) response.write('', goOn);
  else response.whenTaken(goOn);
}

function isEncrypted({ socket }: VisitorResponse): boolean {
  return socket !== null && 'encrypted' in socket;
}
