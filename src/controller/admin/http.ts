/** What every HTTP surface of the controller needs: bodies in, JSON and errors out. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SlotsError } from '../../errors.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;

const STATUS_OF: Record<string, number> = {
  BAD_REQUEST: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NO_SUCH_CALL: 404,
  RELEASE_UNKNOWN: 404,
  NO_BUILD: 404,
  BODY_TOO_LARGE: 413,
  TOO_MANY_CALLS: 429,
  UNEXPECTED: 500,
};

/** Path and query of a request's target, taken apart without ever throwing. */
export function targetOf(request: IncomingMessage): { path: string; query: URLSearchParams } {
  const url = request.url ?? '';
  const path = url.split('?')[0] as string;
  return { path, query: new URLSearchParams(url.slice(path.length + 1)) };
}

/** How long what is left of a body that is too large is read, in milliseconds. */
const LINGER_MS = 10_000;

/**
 * Reads a body whole. What is left of one that is too large is read and dropped before it is refused: closing a
 * socket with unread bytes resets it, and the reset can overtake the answer (RFC 9112 §9.6).
 *
 * @throws SlotsError `BODY_TOO_LARGE`
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > maxBytes) break;
    chunks.push(chunk);
  }
  if (bytes <= maxBytes) return Buffer.concat(chunks);
  await dropRest(request);
  throw new SlotsError('BODY_TOO_LARGE', `a body of more than ${maxBytes} bytes`);
}

async function dropRest(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return;
  const signal = AbortSignal.timeout(LINGER_MS);
  request.resume();
  // Whatever becomes of it, the answer is the same.
  await once(request, 'end', { signal }).catch(() => {});
}

export function respond(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}

/** What a person can act on as it is; anything else is a bug of ours, of which only the message goes out. */
export function respondError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy();
  const { code, message, hint } =
    error instanceof SlotsError ? error : new SlotsError('UNEXPECTED', (error as Error).message);
  const status = STATUS_OF[code] ?? 409;
  if (status === 401) response.setHeader('www-authenticate', 'Bearer realm="slots"');
  respond(response, status, { error: { code, message, hint } });
}
