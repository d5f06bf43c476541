import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { hostOf } from '../../config/host-names.ts';
import type { ProxyConfig } from '../../config/proxy-schema.ts';
import { asksReady } from '../fleet/ready.ts';
import type { ReadyAnswers } from '../fleet/ready-answer.ts';
import { isOtherName } from '../forward/canonical-entrance.ts';
import { authorityOf, isAuthority, parseTarget } from '../request/target.ts';
import type { Certificates } from './certificates.ts';
import type { ChallengeAnswers } from './challenges.ts';
import { BAD_REQUEST, createErrorAnswers, type ErrorAnswer } from './error-answer.ts';
import { httpOptions, serveVisitors } from './listener.ts';

const HTTPS_PORT = 443;

/** What the port says instead of a redirect, where the controller orders the certificates. */
export interface RedirectParts {
  certificates: Pick<Certificates, 'has'> | null;
  challenges: Pick<ChallengeAnswers, 'http'>;
  /** A load balancer may ask here as well; `null` without a fleet. */
  ready: Pick<ReadyAnswers, 'send'> | null;
}

const NO_PARTS: RedirectParts = {
  certificates: null,
  challenges: { http: () => null },
  ready: null,
};

/** There is nothing to send a visitor to but a warning of the browser's. */
const NO_CERTIFICATE: ErrorAnswer = {
  status: 503,
  title: 'Not here yet',
  text: 'This site is waiting for its first certificate. It will be here in a moment.',
  retryAfter: 5,
};

/**
 * Sends plain HTTP to HTTPS, the method and the body included (308); within the limits of the public server. Answers the CA's
 * questions, and redirects nobody before the first certificate is there.
 */
export function createRedirect(
  config: ProxyConfig,
  httpsPort: number,
  { certificates, challenges, ready }: RedirectParts = NO_PARTS,
): Server {
  const errors = createErrorAnswers(config.errorPages ?? null);
  const port = httpsPort === HTTPS_PORT ? '' : `:${httpsPort}`;
  const server = createServer({ ...httpOptions(config), shouldUpgradeCallback: () => false });
  const redirect = (request: IncomingMessage, response: ServerResponse) => {
    if (ready && asksReady(request.url)) {
      // As with each answer of this port, the worker need not wait for the connection when it ends.
      response.shouldKeepAlive = false;
      ready.send(request, response);
      return;
    }
    const target = parseTarget(request.method as string, request.url as string);
    const host = authorityOf(target, request.headers);
    // A field that is no host would put the visitor wherever its sender likes.
    if (!target || !isAuthority(host)) {
      errors.send(request, response, BAD_REQUEST);
      return;
    }
    const path = target.path === '*' ? '/' : target.path;
    const answer = challenges.http(path);
    if (answer !== null) {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': answer.length });
      response.end(answer);
      return;
    }
    if (certificates && !certificates.has()) {
      errors.send(request, response, NO_CERTIFICATE);
      return;
    }
    const name = hostOf(host);
    const { canonicalHost } = config.tls ?? {};
    const isOther = canonicalHost !== undefined && isOtherName(name, canonicalHost);
    const to = isOther ? canonicalHost : host.replace(/:\d+$/, '');
    const location = `https://${to}${port}${path}`;
    response.writeHead(308, { location, 'content-length': 0, connection: 'close' });
    response.end();
  };
  server.maxConnections = config.limits.connections;
  // A WebSocket is an ordinary request here (`shouldUpgradeCallback`): some clients follow its redirect.
  serveVisitors(server, errors, { request: redirect, upgrade: () => {} });
  return server;
}
