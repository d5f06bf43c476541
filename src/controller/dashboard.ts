import type { IncomingMessage, ServerResponse } from 'node:http';

/** Serves the dashboard's page and its assets; false when there is no such file. */
export function serveDashboard(request: IncomingMessage, response: ServerResponse): boolean {
  if (request.url?.split('?')[0] !== '/') return false;
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end('<!doctype html><title>slots</title><p>The admin API is at /api.</p>\n');
  return true;
}
