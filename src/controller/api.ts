import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { SlotsError } from '../errors.ts';
import { RELEASE_ID } from '../slots/release.ts';
import type { Status } from './status.ts';

/** What the control socket's HTTP API can ask of the controller. */
export interface Operations {
  status(): Promise<Status>;
  promote(): Promise<{ id: string }>;
  /** @param release `null` for the standby */
  rollback(release: string | null): Promise<{ id: string }>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Calls back on each state change and each line of a build, until the signal aborts. */
  follow(listener: (event: ControllerEvent) => void, signal: AbortSignal): void;
}

export type ControllerEvent =
  | { type: 'status'; status: Status }
  | { type: 'build-line'; line: string };

const MAX_BODY_BYTES = 16 * 1024;

/** A comment line this often keeps a dead follower from being written to for ever, in milliseconds. */
const KEEP_ALIVE_MS = 15_000;

const rollbackSchema = z.strictObject({ release: z.string().regex(RELEASE_ID).nullable() });

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;

/** Answers `/api/…`: JSON in, JSON out, and server-sent events at `/api/events`. */
export function createApi(operations: Operations) {
  const routes: Record<string, Handler> = {
    'GET /api/health': async () => ({ ok: true, pid: process.pid }),
    'GET /api/status': () => operations.status(),
    'POST /api/promote': () => operations.promote(),
    'POST /api/rollback': async (request) => {
      const { release } = parse(rollbackSchema, await readBody(request));
      return operations.rollback(release);
    },
    'POST /api/pause': async () => operations.pause().then(() => ({})),
    'POST /api/resume': async () => operations.resume().then(() => ({})),
    'GET /api/events': (request, response) => stream(operations, request, response),
  };

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const route = `${request.method} ${request.url?.split('?')[0]}`;
    try {
      const handler = routes[route];
      if (!handler) throw new SlotsError('NO_SUCH_CALL', `there is no ${route}`);
      const answer = await handler(request, response);
      if (!response.headersSent) respond(response, 200, answer);
    } catch (error) {
      const { code, message, hint } = toSlotsError(error);
      if (!response.headersSent)
        respond(response, statusOf(code), { error: { code, message, hint } });
    }
  };
}

async function stream(
  operations: Operations,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  request.on('close', () => gone.abort());
  response.on('error', () => {});
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const send = (event: ControllerEvent) => response.write(`data: ${JSON.stringify(event)}\n\n`);
  operations.follow(send, gone.signal);
  send({ type: 'status', status: await operations.status() });
  const keepAlive = setInterval(() => response.write(':\n\n'), KEEP_ALIVE_MS);
  gone.signal.addEventListener('abort', () => clearInterval(keepAlive));
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk;
    if (body.length > MAX_BODY_BYTES) {
      throw new SlotsError('BAD_REQUEST', `a body of more than ${MAX_BODY_BYTES} bytes`);
    }
  }
  try {
    return JSON.parse(body);
  } catch {
    throw new SlotsError('BAD_REQUEST', 'the body is not JSON');
  }
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new SlotsError('BAD_REQUEST', `${issue?.path.join('.')}: ${issue?.message}`);
}

function toSlotsError(error: unknown): SlotsError {
  if (error instanceof SlotsError) return error;
  return new SlotsError('UNEXPECTED', (error as Error).message);
}

function statusOf(code: string): number {
  if (code === 'NO_SUCH_CALL') return 404;
  if (code === 'UNEXPECTED') return 500;
  return code === 'BAD_REQUEST' ? 400 : 409;
}

function respond(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}
