/** What every HTTP surface of the controller needs: bodies in, JSON and errors out. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SlotsError } from '../errors.ts';

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

/**
 * Reads a body whole. Node itself reads what is left of one that is too large, so that the answer arrives.
 *
 * @throws SlotsError `BODY_TOO_LARGE`
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new SlotsError('BODY_TOO_LARGE', `a body of more than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
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
