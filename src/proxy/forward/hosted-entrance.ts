/** The entrance of a site that is one of several behind the same port: its visitors may ask for another one's host. */
import type { Socket } from 'node:net';
import { hostOf } from '../../config/host-names.ts';
import type { Counters } from '../../wire/messages.ts';
import { asksReady } from '../fleet/ready.ts';
import { authorityOf, parseTarget } from '../request/target.ts';
import {
  type ErrorAnswer,
  type ErrorAnswers,
  MISDIRECTED,
  NO_SUCH_HOST,
} from '../visitor/error-answer.ts';
import type { ServedRequest, VisitorRequest, VisitorResponse } from '../visitor/kinds.ts';
import { endSoon } from '../visitor/linger.ts';
import { connectionOf } from '../visitor/request.ts';
import type { Entrance } from './entrance.ts';

export interface Hosts {
  /** @param host as `hostOf` gives it */
  has(host: string): boolean;
  /** The site that a host belongs to. */
  find(host: string): Entrance | null;
  /** Changes whenever either may answer otherwise. */
  revision(): number;
}

export interface HostedParts {
  hosts: Hosts;
  /** Names no site. */
  errors: ErrorAnswers;
  counters: Pick<Counters, 'refused'>;
  /** Whether the site answers `/.slots/ready`, which a load balancer asks by a name that no site need have. */
  answersReady: boolean;
  stopping(): boolean;
}

/**
 * Takes what is for the site. A request for another host is routed anew on a connection without TLS, where a proxy before us
 * may send those of all sites. With TLS the connection is the site's whose certificate it was opened with: 421, upon which a
 * client asks again on a connection of its own (RFC 9110 §15.5.20).
 */
export function createHostedEntrance(entrance: Entrance, parts: HostedParts): Entrance {
  const { hosts, errors, counters, answersReady, stopping } = parts;
  /** Most requests are for the same host as the one before. */
  let ours = '';
  let asOf = -1;
  const isOurs = (authority: string): boolean => {
    if (authority === ours && asOf === hosts.revision()) return true;
    if (!hosts.has(hostOf(authority))) return false;
    ours = authority;
    asOf = hosts.revision();
    return true;
  };

  const elsewhere = (
    authority: string,
    url: string | undefined,
    socket: Socket,
  ): Entrance | ErrorAnswer => {
    const other = hosts.find(hostOf(authority));
    if (other === null && answersReady && asksReady(url)) return entrance;
    if ('encrypted' in socket) return MISDIRECTED;
    return other ?? NO_SUCH_HOST;
  };
  const refuse = (request: VisitorRequest, response: VisitorResponse, answer: ErrorAnswer) => {
    (counters.refused[(answer.status / 100) | 0] as number)++;
    errors.send(request, response, answer);
  };

  return {
    plain: {
      begin(request, response) {
        if (isOurs(request.headers.host)) return entrance.plain.begin(request, response);
        if (stopping()) response.shouldKeepAlive = false;
        const to = elsewhere(request.headers.host, request.url, request.socket);
        if ('status' in to) refuse(request, response, to);
        else to.plain.begin(request, response);
      },
      // Only what the site itself has answered is known.
      known: entrance.plain.known,
    },
    request(request, response) {
      const authority = hostFor(request);
      if (isOurs(authority) || errors.hasRefused(connectionOf(request))) {
        return entrance.request(request, response);
      }
      if (stopping()) response.shouldKeepAlive = false;
      const to = elsewhere(authority, request.url, request.socket);
      if ('status' in to) refuse(request, response, to);
      else to.request(request, response);
    },
    upgrade(request, socket, head) {
      const authority = hostFor(request);
      if (isOurs(authority)) return entrance.upgrade(request, socket, head);
      const to = elsewhere(authority, request.url, request.socket);
      if ('status' in to) endSoon(socket, errors.raw(request.headers.accept, to));
      else to.upgrade(request, socket, head);
    },
  };
}

function hostFor({ method, url, headers }: ServedRequest): string {
  // Most targets have none.
  const target = url?.startsWith('/') ? null : parseTarget(method as string, url as string);
  return authorityOf(target, headers);
}
