import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ProxyConfig } from '../../config/proxy-schema.ts';
import { isAuthority, parseTarget } from '../request/target.ts';
import { BAD_REQUEST, createErrorAnswers } from './error-answer.ts';
import { httpOptions, serveVisitors } from './listener.ts';

const HTTPS_PORT = 443;

/** Sends plain HTTP to HTTPS, the method and the body included (308); within the limits of the public server. */
export function createRedirect(config: ProxyConfig, httpsPort: number): Server {
  const errors = createErrorAnswers(config.errorPages ?? null);
  const port = httpsPort === HTTPS_PORT ? '' : `:${httpsPort}`;
  const server = createServer({ ...httpOptions(config), shouldUpgradeCallback: () => false });
  const redirect = (request: IncomingMessage, response: ServerResponse) => {
    const target = parseTarget(request.method as string, request.url as string);
    const host = target?.host ?? request.headers.host ?? '';
    // A field that is no host would put the visitor wherever its sender likes.
    if (!target || !isAuthority(host)) {
      errors.send(request, response, BAD_REQUEST);
      return;
    }
    const path = target.path === '*' ? '/' : target.path;
    const location = `https://${host.replace(/:\d+$/, '')}${port}${path}`;
    response.writeHead(308, { location, 'content-length': 0, connection: 'close' });
    response.end();
  };
  server.maxConnections = config.limits.connections;
  // A WebSocket is an ordinary request here (`shouldUpgradeCallback`): some clients follow its redirect.
  serveVisitors(server, errors, { request: redirect, upgrade: () => {} });
  return server;
}
