import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import { SlotsError } from '../../errors.ts';
import type { HistoryEntry } from '../../slots/history.ts';
import type { Release } from '../../slots/release.ts';
import type { Slot } from '../../slots/slot.ts';
import type { TrafficPoint } from '../metrics/traffic-ring.ts';
import { type ControllerEvent, streamEvents } from './events.ts';
import { type Handler, readBody, respond, respondError, targetOf } from './http.ts';
import { openApi } from './openapi.ts';
import { buildLogQuery, historyQuery, rollbackBody } from './schemas.ts';
import type { Status } from './status.ts';

export type { ControllerEvent };

/** A kept release, and the slots that point to it. */
export type KeptRelease = Release & { slots: Slot[] };

/** What the HTTP API can ask of the controller. */
export interface Operations {
  status(): Promise<Status>;
  promote(): Promise<{ id: string }>;
  /** @param release `null` for the standby */
  rollback(release: string | null): Promise<{ id: string }>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Newest first. */
  releases(): Promise<KeptRelease[]>;
  /** Oldest first, the newest so many. */
  history(limit: number): Promise<HistoryEntry[]>;
  /** @param release `null` for the newest build; @returns the log's path */
  buildLog(release: string | null): Promise<string>;
  traffic(): TrafficPoint[];
  /** Calls back on each state change and each line of a build, until the signal aborts. */
  follow(listener: (event: ControllerEvent) => void, signal: AbortSignal): void;
}

const MAX_BODY_BYTES = 16 * 1024;

/** Of a longer build log only the end is sent, in bytes: that is where a failure is told. */
const MAX_LOG_BYTES = 2 * 1024 * 1024;

/** Answers `/api/…` on the control socket and, behind the guard, on the admin port. */
export function createApi(operations: Operations) {
  const routes = createRoutes(operations);
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const route = `${request.method} ${targetOf(request).path}`;
    try {
      const handler = Object.hasOwn(routes, route) ? routes[route] : undefined;
      if (!handler) throw new SlotsError('NO_SUCH_CALL', `there is no ${route}`);
      const answer = await handler(request, response);
      if (!response.headersSent) respond(response, 200, answer);
    } catch (error) {
      respondError(response, error);
    }
  };
}

/** By method and path; documented, with examples, in admin/calls.ts. */
export function createRoutes(operations: Operations): Record<string, Handler> {
  return {
    'GET /api/health': async () => ({ ok: true, pid: process.pid }),
    'GET /api/status': () => operations.status(),
    'POST /api/promote': () => operations.promote(),
    'POST /api/rollback': async (request) => {
      const { release } = parse(rollbackBody, await readJson(request));
      return operations.rollback(release);
    },
    'POST /api/pause': async () => operations.pause().then(() => ({})),
    'POST /api/resume': async () => operations.resume().then(() => ({})),
    'GET /api/releases': () => operations.releases(),
    'GET /api/history': async (request) =>
      operations.history(parse(historyQuery, queryOf(request)).limit),
    'GET /api/build-log': async (request, response) => {
      const { release } = parse(buildLogQuery, queryOf(request));
      return sendLog(await operations.buildLog(release ?? null), response);
    },
    'GET /api/traffic': async () => ({ points: operations.traffic() }),
    'GET /api/events': (request, response) => streamEvents(operations, request, response),
    'GET /api/openapi.json': async () => openApi(),
  };
}

/** What has been written so far: a running build's log grows, and its lines come as events as well. */
async function sendLog(path: string, response: ServerResponse): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (!found) throw new SlotsError('NO_BUILD', 'there is no log of this build');
  const start = Math.max(0, found.size - MAX_LOG_BYTES);
  response.writeHead(200, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': found.size - start,
    'cache-control': 'no-store',
  });
  if (found.size === 0) return void response.end();
  await pipeline(createReadStream(path, { start, end: found.size - 1 }), response);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const body = await readBody(request, MAX_BODY_BYTES);
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new SlotsError('BAD_REQUEST', 'the body is not JSON');
  }
}

function queryOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(targetOf(request).query);
}

function parse<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new SlotsError('BAD_REQUEST', `${issue?.path.join('.')}: ${issue?.message}`);
}
