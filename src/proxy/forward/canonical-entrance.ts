/** The entrance of a site that is to be found at one host: requests for another one are sent there. */
import { isIP } from 'node:net';
import { hostOf } from '../../config/host-names.ts';
import type { Counters } from '../../wire/messages.ts';
import { asksReady } from '../fleet/ready.ts';
import { authorityOf, parseTarget } from '../request/target.ts';
import type { ErrorAnswer, ErrorAnswers } from '../visitor/error-answer.ts';
import type { ServedRequest, VisitorRequest, VisitorResponse } from '../visitor/kinds.ts';
import { connectionOf } from '../visitor/request.ts';
import type { Entrance } from './entrance.ts';

export interface CanonicalParts {
  canonicalHost: string;
  errors: ErrorAnswers;
  counters: Pick<Counters, 'refused'>;
  /** Whether the site answers `/.slots/ready`, which a load balancer asks by any name. */
  answersReady: boolean;
  stopping(): boolean;
}

/**
 * Whether a host is another name of the site. Who asks by an address, or on this machine, looks at the machine: a load balancer,
 * a health check.
 *
 * @param host as `hostOf` gives it
 */
export function isOtherName(host: string, canonicalHost: string): boolean {
  if (host === canonicalHost || host === '' || host === 'localhost') return false;
  return isIP(host) === 0 && !host.startsWith('[');
}

/** A WebSocket is let through: few clients follow a redirect. */
export function createCanonicalEntrance(entrance: Entrance, parts: CanonicalParts): Entrance {
  const { canonicalHost, errors, counters, answersReady, stopping } = parts;
  const moved = (authority: string, path: string): ErrorAnswer | null => {
    if (answersReady && asksReady(path)) return null;
    if (!isOtherName(hostOf(authority), canonicalHost)) return null;
    const port = /:\d+$/.exec(authority)?.[0] ?? '';
    return {
      status: 308,
      title: 'Moved',
      text: 'This site is to be found at another name.',
      location: `https://${canonicalHost}${port}${path}`,
    };
  };
  const send = (request: VisitorRequest, response: VisitorResponse, answer: ErrorAnswer) => {
    if (stopping()) response.shouldKeepAlive = false;
    (counters.refused[3] as number)++;
    errors.send(request, response, answer);
  };
  return {
    plain: {
      begin(request, response) {
        const answer = moved(request.headers.host, request.url);
        if (answer) send(request, response, answer);
        else entrance.plain.begin(request, response);
      },
      // Only what the site itself has answered is known.
      known: entrance.plain.known,
    },
    request(request, response) {
      const { authority, path } = askedFor(request);
      const answer = errors.hasRefused(connectionOf(request)) ? null : moved(authority, path);
      if (answer) send(request, response, answer);
      else entrance.request(request, response);
    },
    upgrade: entrance.upgrade,
  };
}

/** Empty for what is no request that could be sent elsewhere. */
function askedFor({ method, url, headers }: ServedRequest): { authority: string; path: string } {
  const target = parseTarget(method as string, url as string);
  if (!target || target.path === '*') return { authority: '', path: '' };
  return { authority: authorityOf(target, headers), path: target.path };
}
