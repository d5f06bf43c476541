import type { IncomingMessage, ServerResponse } from 'node:http';
import { SlotsError } from '../../errors.ts';
import { serveDashboard } from './dashboard.ts';
import { bearerOf, checkOrigin, checkToken } from './guard.ts';
import { type Handler, respondError, targetOf } from './http.ts';

export interface AdminParts {
  /** Answers `/api/…`. */
  api: Handler;
  metrics: Handler;
  /** `null`: no pushes are taken. */
  gitHook: Handler | null;
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

/** Answers the admin port: the guard first, then the API, the metrics or the dashboard. */
export function createAdminListener(parts: AdminParts) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.on('error', () => {});
    for (const [name, value] of Object.entries(FIELDS)) response.setHeader(name, value);
    try {
      await answer(parts, request, response);
    } catch (error) {
      respondError(response, error);
    }
  };
}

async function answer(
  { api, metrics, gitHook, token, hosts }: AdminParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<unknown> {
  const { path, query } = targetOf(request);
  const reads = request.method === 'GET' || request.method === 'HEAD';
  // Called by name from anywhere, and signed: neither Host nor Origin would tell more.
  if (path === '/hooks/git' && request.method === 'POST' && gitHook) {
    return gitHook(request, response);
  }
  checkOrigin(request.headers, hosts);
  if (path.startsWith('/api/')) {
    if (path === '/api/health') return api(request, response);
    // An EventSource cannot send a header; elsewhere a token in a URL would end in histories and logs.
    const inQuery = path === '/api/events' && request.method === 'GET' ? query.get('token') : null;
    checkToken(bearerOf(request.headers) ?? inQuery, token);
    return api(request, response);
  }
  if (path === '/metrics' && reads) return metrics(request, response);
  if (reads && serveDashboard(request, response)) return;
  throw new SlotsError('NO_SUCH_CALL', `there is no ${request.method} ${path}`);
}
