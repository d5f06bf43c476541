/** The entrance of a site that somebody may be working on: visitors get a page, and those who are allowed see the site. */
import { type BlockList, isIP } from 'node:net';
import { isTrustable, trustedAddresses } from '../../config/trusted-proxies.ts';
import type { Assignment, MaintenanceNotice } from '../../wire/assignment.ts';
import type { Counters } from '../../wire/messages.ts';
import { asksReady } from '../fleet/ready.ts';
import { clientAddress } from '../request/client-address.ts';
import type { Preparation } from '../request/preparation.ts';
import { type ErrorAnswer, type ErrorAnswers, maintenanceAnswer } from '../visitor/error-answer.ts';
import type { VisitorRequest, VisitorResponse } from '../visitor/kinds.ts';
import { endSoon } from '../visitor/linger.ts';
import { connectionOf, fieldsOf } from '../visitor/request.ts';
import type { Entrance } from './entrance.ts';

export interface MaintenanceParts {
  current(): Pick<Assignment, 'maintenance'>;
  prepare: Pick<Preparation, 'peerOf'>;
  /** `proxy.trustedProxies`. */
  trustedProxies: readonly string[];
  errors: ErrorAnswers;
  counters: Pick<Counters, 'refused'>;
  /** Whether the site answers `/.slots/ready`: a load balancer is to send visitors here all the same. */
  answersReady: boolean;
  stopping(): boolean;
}

/** A WebSocket that is open stays so. */
export function createMaintenanceEntrance(entrance: Entrance, parts: MaintenanceParts): Entrance {
  const { current, prepare, errors, counters, answersReady, stopping } = parts;
  const trusted = trustedAddresses(parts.trustedProxies);
  /** Of the notice that was asked about last. */
  let asked: MaintenanceNotice | undefined;
  let allowed: BlockList;

  const isAllowed = (request: VisitorRequest, notice: MaintenanceNotice): boolean => {
    if (notice.allow.length === 0) return false;
    if (asked !== notice) {
      // A state file that was edited by hand must not end a worker.
      allowed = trustedAddresses(notice.allow.filter(isTrustable));
      asked = notice;
    }
    const peer = prepare.peerOf(connectionOf(request));
    const address = clientAddress(fieldsOf(request), peer, (hop) => holds(trusted, hop));
    return holds(allowed, address);
  };

  /** What a request gets in place of the site; `null`: the site. */
  const inPlace = (request: VisitorRequest): ErrorAnswer | null => {
    const notice = current().maintenance;
    if (notice === undefined) return null;
    if (answersReady && asksReady(request.url)) return null;
    return isAllowed(request, notice) ? null : maintenanceAnswer(notice.message);
  };
  const send = (request: VisitorRequest, response: VisitorResponse, answer: ErrorAnswer) => {
    if (stopping()) response.shouldKeepAlive = false;
    (counters.refused[5] as number)++;
    errors.send(request, response, answer);
  };

  return {
    plain: {
      begin(request, response) {
        const answer = inPlace(request);
        if (answer) send(request, response, answer);
        else entrance.plain.begin(request, response);
      },
      known: (text, socket) =>
        current().maintenance === undefined ? entrance.plain.known(text, socket) : null,
    },
    request(request, response) {
      const answer = errors.hasRefused(connectionOf(request)) ? null : inPlace(request);
      if (answer) send(request, response, answer);
      else entrance.request(request, response);
    },
    upgrade(request, socket, head) {
      const answer = inPlace(request);
      if (answer) endSoon(socket, errors.raw(request.headers.accept, answer));
      else entrance.upgrade(request, socket, head);
    },
  };
}

function holds(list: BlockList, address: string): boolean {
  const version = isIP(address);
  return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4');
}
