import { readFileSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { isHttp2, type VisitorRequest, type VisitorResponse } from './kinds.ts';
import { linger } from './linger.ts';
import { writeHead } from './response.ts';

/** An answer in place of one from the slot; never an address, a stack or a reason of ours. */
export interface ErrorAnswer {
  status: number;
  title: string;
  text: string;
  /** Seconds; also how soon a page looks again by itself. */
  retryAfter?: number;
  /** The methods that would be taken (RFC 9110 §10.2.1). */
  allow?: string;
  /** Where it is instead (RFC 9110 §10.2.2). */
  location?: string;
  /** The name of its files in `proxy.errorPages`; `<status>` without it. */
  page?: string;
  /** Nothing more is read from a connection that has sent something doubtful. */
  close?: boolean;
}

export const FIRST_BUILD: ErrorAnswer = {
  status: 503,
  title: 'The first build is running',
  text: 'This site is being built for the first time. It will be here in a moment.',
  retryAfter: 2,
};

export const FIRST_BUILD_FAILED: ErrorAnswer = {
  status: 503,
  title: 'Not here yet',
  text: 'The first build of this site has failed. It will be here once that is mended.',
  retryAfter: 5,
};

/** Somebody works on the site (`slots maintenance on`), and may have said what visitors are told. */
export function maintenanceAnswer(message: string | null): ErrorAnswer {
  return {
    status: 503,
    title: 'Back soon',
    text: message ?? 'This site is being worked on. Please come back in a while.',
    retryAfter: 60,
    page: 'maintenance',
  };
}

export const UNAVAILABLE: ErrorAnswer = {
  status: 503,
  title: 'Back in a moment',
  text: 'This site does not answer right now. Please try again in a few seconds.',
  retryAfter: 5,
};

export const BUSY: ErrorAnswer = {
  status: 503,
  title: 'Very busy',
  text: 'More visitors came at once than this site can serve. Please try again in a few seconds.',
  retryAfter: 2,
};

export const BAD_GATEWAY: ErrorAnswer = {
  status: 502,
  title: 'No answer',
  text: 'The site broke off while it was answering. Please try again.',
};

export const GATEWAY_TIMEOUT: ErrorAnswer = {
  status: 504,
  title: 'No answer in time',
  text: 'The site took too long to answer. Please try again.',
};

export const BAD_REQUEST: ErrorAnswer = {
  status: 400,
  title: 'Bad request',
  text: 'This request cannot be understood.',
  close: true,
};

/** `TRACE` would show the site's fields to a script (RFC 9110 §9.3.8). */
export const METHOD_NOT_ALLOWED: ErrorAnswer = {
  status: 405,
  title: 'Not allowed',
  text: 'This site does not take requests of this kind.',
  allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
  close: true,
};

export const TOO_MANY_REQUESTS: ErrorAnswer = {
  status: 429,
  title: 'Too many requests at once',
  text: 'Too many requests from your address are under way. Please try again in a few seconds.',
  retryAfter: 2,
};

/** Says nothing of what is here. */
export const NO_SUCH_HOST: ErrorAnswer = {
  status: 404,
  title: 'Not found',
  text: 'There is nothing here.',
};

export const MISDIRECTED: ErrorAnswer = {
  status: 421,
  title: 'Wrong connection',
  text: 'This request belongs on another connection.',
};

export const REQUEST_TIMEOUT: ErrorAnswer = {
  status: 408,
  title: 'Request not finished in time',
  text: 'The rest of this request did not come.',
  close: true,
};

export const BODY_TOO_LARGE: ErrorAnswer = {
  status: 413,
  title: 'Too large',
  text: 'This request carries more than this site takes.',
  close: true,
};

export const EXPECTATION_FAILED: ErrorAnswer = {
  status: 417,
  title: 'Not met',
  text: 'This request expects something that this site does not do.',
};

export const HEADERS_TOO_LARGE: ErrorAnswer = {
  status: 431,
  title: 'Too many header fields',
  text: 'This request has more header fields than this site takes.',
  close: true,
};

export const NOT_IMPLEMENTED: ErrorAnswer = {
  status: 501,
  title: 'Not implemented',
  text: 'This request is encoded in a way that this site does not know.',
  close: true,
};

/** Tells visitors what went wrong, as HTML or JSON by their `Accept`. */
export interface ErrorAnswers {
  /** Whether the last answer of a connection has been sent, so that nothing else may be written there. */
  hasRefused(socket: Socket): boolean;
  send(request: VisitorRequest, response: VisitorResponse, answer: ErrorAnswer): void;
  /** The whole answer as it goes on the wire, for a connection that has no response object. */
  raw(accept: string | undefined, answer: ErrorAnswer): string;
}

/** Of all sites: a request on one's connection may be another one's. */
const refused = new WeakSet<Socket>();

/**
 * @param folder holds `<status>.html` and `<status>.json`, or `maintenance.html` and `.json`, that replace the built-in ones; each is read once
 * @param hsts the value of `Strict-Transport-Security`
 */
export function createErrorAnswers(
  folder: string | null,
  hsts: string | null = null,
): ErrorAnswers {
  const pages = new Map<string, string | null>();
  const page = (file: string): string | null => {
    if (folder === null) return null;
    const known = pages.get(file);
    if (known !== undefined) return known;
    const read = readIfThere(join(folder, file));
    pages.set(file, read);
    return read;
  };

  const render = (accept: string | undefined, answer: ErrorAnswer) => {
    const json = wantsJson(accept);
    const own = page(`${answer.page ?? answer.status}.${json ? 'json' : 'html'}`);
    const body = own ?? (json ? toJson(answer) : toHtml(answer));
    const bytes = Buffer.from(body);
    const fields = ['content-type', json ? 'application/json' : 'text/html; charset=utf-8'];
    fields.push('content-length', String(bytes.length), 'cache-control', 'no-store');
    if (answer.location) fields.push('location', answer.location);
    if (hsts !== null) fields.push('strict-transport-security', hsts);
    if (answer.allow) fields.push('allow', answer.allow);
    if (answer.retryAfter) fields.push('retry-after', String(answer.retryAfter));
    return { body, bytes, fields };
  };

  return {
    send(request, response, answer) {
      const { bytes, fields } = render(request.headers.accept, answer);
      // HTTP/2 has no such field (RFC 9113 §8.2.2).
      const isLast = answer.close === true && !isHttp2(request);
      if (isLast) fields.push('connection', 'close');
      writeHead(response, answer.status, STATUS_CODES[answer.status] ?? '', fields);
      const isEmpty = request.method === 'HEAD';
      if (!isLast) {
        if (isEmpty) response.end();
        else response.end(bytes);
        linger(request);
        return;
      }
      refused.add(request.socket);
      response.flushHeaders();
      if (!isEmpty) response.write(bytes);
      // Node closes the connection with the answer's end, and would reset one that still brings a body.
      linger(request, () => response.end());
    },
    hasRefused: (socket) => refused.has(socket),
    raw(accept, answer) {
      const { body, fields } = render(accept, answer);
      let lines = '';
      for (let i = 0; i < fields.length; i += 2) lines += `${fields[i]}: ${fields[i + 1]}\r\n`;
      const reason = STATUS_CODES[answer.status] ?? '';
      return `HTTP/1.1 ${answer.status} ${reason}\r\nconnection: close\r\n${lines}\r\n${body}`;
    },
  };
}

function wantsJson(accept: string | undefined): boolean {
  return accept !== undefined && /\bjson\b/i.test(accept) && !/\btext\/html\b/i.test(accept);
}

function toJson({ status, text }: ErrorAnswer): string {
  return `${JSON.stringify({ error: { status, message: text } })}\n`;
}

function toHtml({ title, text, retryAfter }: ErrorAnswer): string {
  const refresh = retryAfter ? `<meta http-equiv="refresh" content="${retryAfter}">` : '';
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">${refresh}<title>${title}</title><style>body{font:1.1rem/1.5 system-ui;max-width:32rem;margin:20vh auto;padding:0 1rem;color-scheme:light dark}</style><h1>${title}</h1><p>${escaped(text)}</p></html>\n`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
