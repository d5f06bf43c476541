import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Node's parser. Its types leave the method out. */
interface Parser {
  /** A copy of the read that is being parsed. */
  getCurrentBuffer?(): Buffer;
}

/** Methods that Node's parser takes with `RTSP/` and `ICE/` only, and `SOURCE`, which no HTTP knows. */
const OTHER_METHODS = new Set([
  'ANNOUNCE',
  'DESCRIBE',
  'FLUSH',
  'GET_PARAMETER',
  'PAUSE',
  'PLAY',
  'RECORD',
  'REDIRECT',
  'SETUP',
  'SET_PARAMETER',
  'SOURCE',
  'TEARDOWN',
]);

const others = new WeakSet<IncomingMessage>();

/**
 * Notes a request of another protocol, while its bytes are being parsed. Node's parser takes `GET / RTSP/1.0` for HTTP/1.0
 * and keeps the name of the protocol to itself.
 */
export function noteProtocol(request: IncomingMessage): void {
  const { method, url, httpVersion } = request;
  // RTSP has no version 1.1 (RFC 2326, RFC 7826), so that the common case costs no copy.
  if (httpVersion !== '1.0') return;
  const parser = (request.socket as Socket & { parser?: Parser | null }).parser;
  const bytes = parser?.getCurrentBuffer?.().toString('latin1') ?? '';
  const line = `${method} ${url} RTSP/1.0\r\n`;
  if (bytes.startsWith(line) || bytes.includes(`\n${line}`)) others.add(request);
}

/** Whether a request of this syntax is none of HTTP. */
export function isOfOtherProtocol(request: IncomingMessage): boolean {
  if (OTHER_METHODS.has(request.method as string)) return true;
  return request.httpVersion === '1.0' && others.has(request);
}
