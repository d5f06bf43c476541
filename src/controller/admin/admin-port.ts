import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Operations } from './api.ts';
import { type AdminPortParts, createApp } from './app.ts';
import { serveDashboard } from './dashboard.ts';
import { bearerOf, checkOrigin, checkToken } from './guard.ts';

export interface AdminPort extends AdminPortParts {
  operations: Operations;
  token: string;
  /** `admin.hosts`, and what else the port is known as. */
  hosts: readonly string[];
}

/** Nobody frames the dashboard to have its buttons clicked, and no token leaves in a `Referer`. */
const FIELDS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

/** The API, the metrics, the git hook and the dashboard behind the guard. */
export function createAdminPort({
  operations,
  token,
  hosts,
  ...parts
}: AdminPort): FastifyInstance {
  const app = createApp(operations, parts);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(FIELDS);
    admit(request, token, hosts);
  });
  serveDashboard(app);
  return app;
}

/**
 * Goes by the route that was found, not by the path's text: `/%61pi/status` is `/api/status` too.
 *
 * @throws SlotsError `FORBIDDEN` or `UNAUTHORIZED`
 */
function admit(request: FastifyRequest, token: string, hosts: readonly string[]): void {
  const { needs, tokenInQuery } = request.routeOptions.config;
  // Called by name from anywhere, and signed: neither Host nor Origin would tell more.
  if (needs === 'signature') return;
  checkOrigin(request.headers, hosts);
  const isPublic = request.is404 ? !request.url.startsWith('/api/') : needs === 'nothing';
  if (isPublic) return;
  // An EventSource cannot send a header; elsewhere a token in a URL would end in histories and logs.
  const inQuery = tokenInQuery ? (request.query as { token?: string }).token : undefined;
  checkToken(bearerOf(request.headers) ?? inQuery ?? null, token);
}
