import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { SlotsError } from '../../errors.ts';
import type { GitHook } from '../deploy/hook.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Operations } from './api.ts';
import { readBody } from './body.ts';
import { toErrorAnswer } from './error-answer.ts';
import { openApi } from './openapi.ts';
import { ROUTES } from './routes/index.ts';

const MAX_BODY_BYTES = 16 * 1024;

/** The parts of the admin port besides the API. */
export interface AdminPortParts {
  metrics: Metrics;
  /** `null`: no pushes are taken. */
  gitHook: GitHook | null;
}

/**
 * The API as an application whose `routing` is the listener of any number of HTTP servers, once it is ready. It
 * does not ask who calls: the control socket is its owner's, and the admin port puts a guard before it.
 *
 * @param adminPort `null` on the control socket
 */
export function createApp(
  operations: Operations,
  adminPort: AdminPortParts | null = null,
): FastifyInstance {
  const app = Fastify({
    // Fastify's own compilers load ajv and fast-json-stringify; its types know no other validator than ajv's.
    schemaController: {
      compilersFactory: {
        buildValidator: () => zodValidator as never,
        buildSerializer: () => () => toLine,
      },
    },
    exposeHeadRoutes: false,
    routerOptions: {
      querystringParser: (text) => Object.fromEntries(new URLSearchParams(text)),
    },
    frameworkErrors: (_error, request, reply) => refuse(noSuchCall(request), reply),
  });
  app.setReplySerializer(toLine);
  app.removeAllContentTypeParsers();
  // The call decides how its body is read: `curl -d` sends JSON as a form.
  app.addContentTypeParser('*', (request: FastifyRequest) =>
    request.routeOptions.schema?.body ? readJson(request) : Promise.resolve(),
  );
  app.setErrorHandler((error: Error, _request, reply) => refuse(error, reply));
  app.setNotFoundHandler((request) => {
    throw noSuchCall(request);
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    // find-my-way would take `GET http://other/api/status` for `/api/status`.
    if (!request.url.startsWith('/')) throw noSuchCall(request);
  });
  app.decorate('operations', operations);
  app.decorate('openApi', () => openApi(ROUTES));
  if (adminPort) app.decorate('metrics', adminPort.metrics);
  if (adminPort?.gitHook) app.decorate('gitHook', adminPort.gitHook);
  for (const route of ROUTES) {
    const { adminPortOnly, needs } = route.config;
    if (adminPortOnly && !adminPort) continue;
    if (needs === 'signature' && !adminPort?.gitHook) continue;
    app.route(route);
  }
  return app;
}

function refuse(error: Error, reply: FastifyReply): void {
  const { status, body } = toErrorAnswer(error);
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="slots"');
  if (status === 429) reply.header('retry-after', '60');
  reply.code(status).send(body);
}

function noSuchCall({ method, url }: FastifyRequest): SlotsError {
  return new SlotsError('NO_SUCH_CALL', `there is no ${method} ${url.split('?')[0]}`);
}

async function readJson({ raw }: FastifyRequest): Promise<unknown> {
  const body = await readBody(raw, MAX_BODY_BYTES);
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new SlotsError('BAD_REQUEST', 'the body is not JSON');
  }
}

function zodValidator({ schema, httpPart }: { schema: unknown; httpPart?: string }) {
  return (value: unknown) => {
    const parsed = (schema as z.ZodType).safeParse(value);
    if (parsed.success) return { value: parsed.data };
    const [issue] = parsed.error.issues;
    const where = issue?.path.join('.') || httpPart;
    return { error: new SlotsError('BAD_REQUEST', `${where}: ${issue?.message}`) };
  };
}

function toLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
