import { readFile } from 'node:fs/promises';
import type {
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
  ServerResponse,
} from 'node:http';
import send from 'send';
import { http } from './node-http.ts';
import type { StaticFile, Variants } from './static-files.ts';

/** The request that a file is sent for. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/** Sends a file with ranges and conditions, in the shortest form that the visitor takes. */
export function sendFile({ request, response }: Exchange, file: Variants): void {
  const form = chooseForm(request.headers['accept-encoding'], file);
  response.setHeader('ETag', form.etag);
  response.setHeader('Last-Modified', form.lastModified);
  if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', file.type);
  if (file.encoded.length > 0) response.setHeader('Vary', 'Accept-Encoding');
  if (form.encoding) response.setHeader('Content-Encoding', form.encoding);
  // `send` reads nothing else of a request, and takes a path as a URL has it.
  const asked = { method: request.method, headers: exactConditions(request.headers, form) };
  const path = form.path.split('/').map(encodeURIComponent).join('/');
  send(asked as IncomingMessage, path, { index: false, dotfiles: 'allow' })
    .on('error', (error: { status?: number }) => {
      if (response.headersSent) response.destroy();
      else sendStatus({ request, response }, error.status ?? 500, contentRange(response));
    })
    .pipe(response);
}

/** Sends a file whole, with a status that says that it is not what was asked for. */
export async function sendPage(exchange: Exchange, status: number, file: Variants): Promise<void> {
  const body = await readFile(file.plain.path);
  sendBody(exchange, status, body, { 'Content-Type': file.type });
}

/** Sends a line of text. */
export function sendStatus(
  exchange: Exchange,
  status: number,
  headers: OutgoingHttpHeaders = {},
): void {
  for (const name of ['ETag', 'Last-Modified', 'Content-Encoding', 'Content-Length'])
    exchange.response.removeHeader(name);
  const body = Buffer.from(`${http.STATUS_CODES[status] ?? status}\n`);
  sendBody(exchange, status, body, { 'Content-Type': 'text/plain; charset=utf-8', ...headers });
}

function sendBody(
  { request, response }: Exchange,
  status: number,
  body: Buffer,
  headers: OutgoingHttpHeaders,
): void {
  response.writeHead(status, {
    'Cache-Control': 'no-cache',
    ...headers,
    'Content-Length': body.length,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** RFC 9110 §15.5.17: 416 says how long the file is. */
function contentRange(response: ServerResponse): OutgoingHttpHeaders {
  const range = response.getHeader('Content-Range');
  return range === undefined ? {} : { 'Content-Range': range };
}

function chooseForm(accepted: string | string[] | undefined, file: Variants): StaticFile {
  const codings = parseCodings(String(accepted ?? ''));
  return file.encoded.find(({ encoding }) => codings.has(encoding as string)) ?? file.plain;
}

/** The content codings that `Accept-Encoding` names without a weight of zero (RFC 9110 §12.5.3). */
function parseCodings(accepted: string): Set<string> {
  const wanted = accepted.split(',').filter((coding) => !/;\s*q=0(\.0*)?\s*$/i.test(coding));
  return new Set(wanted.map((coding) => coding.replace(/;.*/, '').trim().toLowerCase()));
}

/**
 * The conditions that `send` may judge. It takes any date after a file's for a sign of the same file; after a
 * rollback that is wrong, so that dates count when they are equal, as with nginx. A range goes on with the same bytes
 * only (RFC 9110 §13.1.5), which a weak tag does not promise.
 */
function exactConditions(
  headers: IncomingHttpHeaders,
  { etag, lastModified, size }: StaticFile,
): IncomingHttpHeaders {
  const ifRange = headers['if-range'];
  const isSameFile = ifRange === undefined || ifRange === etag || ifRange === lastModified;
  const isSameDate = headers['if-modified-since'] === lastModified;
  return {
    'if-match': headers['if-match'],
    'if-unmodified-since': headers['if-unmodified-since'],
    'if-none-match': headers['if-none-match'],
    ...(isSameDate && { 'if-modified-since': lastModified }),
    ...(isSameFile && { range: mendRange(headers.range, size) }),
  };
}

/**
 * Corrects where range-parser 1.2 differs from nginx and Caddy: the last n bytes of a shorter file are all of it (RFC 9110
 * §14.1.2), and a range that is none is refused rather than answered with the whole file.
 */
function mendRange(range: string | undefined, size: number): string | undefined {
  if (!range?.startsWith('bytes=')) return range;
  if (!/^bytes=\s*(\d+-\d*|-\d+)(\s*,\s*(\d+-\d*|-\d+))*\s*$/.test(range)) return `bytes=${size}-`;
  const [, length] = /^bytes=-(\d+)$/.exec(range) ?? [];
  return size > 0 && Number(length) > size ? 'bytes=0-' : range;
}
