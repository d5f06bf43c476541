import { once } from 'node:events';
import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
} from 'node:http';
import type { Answer, LoadContext } from './context.ts';
import { explain } from './ledger.ts';

export interface Call {
  path: string;
  method?: string;
  headers?: OutgoingHttpHeaders;
  agent: Agent | false;
  /** What the exchange takes by our own doing, on top of which it may hang for a while, in milliseconds. */
  overMs?: number;
  /** Writes and ends the request's body. */
  send?(outgoing: ClientRequest): void;
  /** Sees the body piece by piece; what it throws fails the exchange. Without it the body is kept. */
  receive?(chunk: Buffer): Promise<void>;
}

/** How much of an answer that should not be is worth reading in a list of failures, in characters. */
const EXCERPT = 60;

/**
 * One request, sent once and never again, whatever happens.
 *
 * @throws Error when it is refused, reset, truncated, not finished in time, or answered with an error
 */
export async function exchange(load: LoadContext, call: Call): Promise<Answer> {
  const { method = 'GET', headers = {}, agent, overMs = 0 } = call;
  const outgoing = request(load.origin + call.path, { method, headers, agent });
  const limitMs = overMs + load.hungMs;
  // What comes after the answer's head shows in its body.
  outgoing.on('error', () => {});
  const sentOn = localPort(outgoing);
  const begunAt = performance.now();
  let hung: Error | null = null;
  const timer = setTimeout(() => {
    hung = new Error(`hung: not finished within ${limitMs / 1000} s`);
    outgoing.destroy(hung);
  }, limitMs);
  try {
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
    if (call.send) call.send(outgoing);
    else outgoing.end();
    const [response] = await answered;
    load.onAnswer(response.headers);
    const { statusCode: status = 0 } = response;
    const isAllowed = load.isAllowed(status, call.path);
    const body = await readWhole(response, isAllowed ? call.receive : undefined);
    if (!isAllowed) throw new Error(`status ${status} ${JSON.stringify(body.slice(0, EXCERPT))}`);
    return { status, headers: response.headers, body };
  } catch (error) {
    outgoing.destroy();
    load.onFailed({
      port: sentOn(),
      begunAt,
      endedAt: performance.now(),
      error: explain(hung ?? error),
    });
    throw hung ?? error;
  } finally {
    clearTimeout(timer);
  }
}

async function readWhole(response: IncomingMessage, receive: Call['receive']): Promise<string> {
  const kept: Buffer[] = [];
  let bytes = 0;
  let refused: Error | null = null;
  const take = async (chunk: Buffer) => {
    bytes += chunk.length;
    if (!receive) kept.push(chunk);
    else
      await receive(chunk).catch((error: Error) => {
        refused = error;
        throw error;
      });
  };
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) await take(chunk);
  } catch (error) {
    throw refused ?? new Error(`truncated: ${explain(error)} ${progress(response, bytes)}`);
  }
  const missing = whyNotWhole(response, bytes);
  if (missing !== null) throw new Error(`${missing} ${progress(response, bytes)}`);
  return Buffer.concat(kept).toString('utf8');
}

/** A body whose end is only the connection's end may be cut anywhere without a sign, so it is refused. */
export function whyNotWhole(response: IncomingMessage, bytes: number): string | null {
  const { 'content-length': length, 'transfer-encoding': encoding } = response.headers;
  const isBodiless = response.statusCode === 204 || response.statusCode === 304;
  if (!response.complete) return 'truncated';
  if (isBodiless) return null;
  if (length !== undefined) return Number(length) === bytes ? null : 'wrong content-length';
  return encoding === 'chunked' ? null : 'no content-length and not chunked';
}

function progress(response: IncomingMessage, bytes: number): string {
  const length = response.headers['content-length'];
  return length === undefined ? `at byte ${bytes}` : `at byte ${bytes} of ${length}`;
}

/** A socket forgets its port when it closes, so it is asked as soon as it has one. */
function localPort(outgoing: ClientRequest): () => number | null {
  let port: number | null = null;
  outgoing.once('socket', (socket) => {
    const note = () => {
      port = socket.localPort ?? null;
    };
    if (socket.connecting) socket.once('connect', note);
    else note();
  });
  return () => port;
}
