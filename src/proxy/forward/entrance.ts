/** Where requests come in: each is refused, or goes to the slot that the router names at this instant. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { createProxyServer, type ProxyServer } from 'http-proxy-3';
import type { Slot } from '../../slots/slot.ts';
import type { Counters } from '../../wire/messages.ts';
import type { Fill } from '../cache/fill.ts';
import { takeSeenEpoch } from '../fleet/epoch-cookie.ts';
import type { Monotonic } from '../fleet/hold.ts';
import { asksReady } from '../fleet/ready.ts';
import type { ReadyAnswers } from '../fleet/ready-answer.ts';
import type { PeerLimiter } from '../request/peer-limiter.ts';
import type { Preparation, Prepared } from '../request/preparation.ts';
import type { Router } from '../router.ts';
import {
  BAD_REQUEST,
  type ErrorAnswer,
  type ErrorAnswers,
  FIRST_BUILD,
  FIRST_BUILD_FAILED,
  GATEWAY_TIMEOUT,
  TOO_MANY_REQUESTS,
} from '../visitor/error-answer.ts';
import type {
  ServedRequest,
  ServedResponse,
  VisitorRequest,
  VisitorResponse,
} from '../visitor/kinds.ts';
import { endSoon } from '../visitor/linger.ts';
import type { PlainListener } from '../visitor/plain-connection.ts';
import { connectionOf, drop } from '../visitor/request.ts';
import { onGone } from '../visitor/response.ts';
import type { Upgrades } from '../websocket/upgrade.ts';
import type { Forwarding } from './forwarding.ts';
import { type FromCache, groupOf } from './from-cache.ts';

export interface EntranceParts {
  router: Router;
  proxy: ProxyServer;
  prepare: Preparation;
  peers: PeerLimiter;
  forwarding: Forwarding;
  upgrades: Upgrades;
  errors: ErrorAnswers;
  /** `null` without a cache. */
  fromCache: FromCache | null;
  /** `null` without a fleet. */
  readyAnswers: ReadyAnswers | null;
  /** `null` where visitors may see an older release after a newer one. */
  monotonic: Monotonic | null;
  counters: Pick<Counters, 'refused'>;
  /** Whether the worker is about to stop, so that each connection's next answer is its last. */
  stopping(): boolean;
}

/** The listeners of the public server. */
export interface Entrance {
  plain: PlainListener;
  request(request: ServedRequest, response: ServedResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** http-proxy-3 asks for a target; the passes of ours know better. */
const ANY_TARGET = { host: '127.0.0.1', port: 0 };

/** http-proxy-3, to be given passes of our own. */
export function createProxy(): ProxyServer {
  const proxy = createProxyServer({ target: ANY_TARGET, prependPath: false, toProxy: true });
  // It throws when nobody listens; each request is answered where it fails.
  proxy.on('error', () => {});
  return proxy;
}

export function createEntrance(parts: EntranceParts): Entrance {
  const { router, proxy, prepare, peers, forwarding, upgrades, errors, counters, stopping } = parts;
  const { fromCache, readyAnswers, monotonic } = parts;

  const refuse = (request: VisitorRequest, response: VisitorResponse, answer: ErrorAnswer) => {
    (counters.refused[(answer.status / 100) | 0] as number)++;
    errors.send(request, response, answer);
  };

  /** Nothing can flip between `route` and the end of `begin`. */
  const forward = (
    request: VisitorRequest,
    response: VisitorResponse,
    ready: Prepared | ErrorAnswer,
  ) => {
    if ('status' in ready) {
      refuse(request, response, ready);
      return;
    }
    monotonic?.tell(request, response, ready);
    const slot = router.route() as Slot;
    const again = () => forward(request, response, ready);
    const fill = fromCache?.pass(request, response, ready, slot, again) ?? null;
    if (fill === 'refuse') refuse(request, response, GATEWAY_TIMEOUT);
    else if (fill !== 'done') send(request, response, ready, slot, fill);
  };
  const send = (
    request: VisitorRequest,
    response: VisitorResponse,
    ready: Prepared,
    slot: Slot,
    fill: Fill | null,
  ) => {
    if (!peers.enter(ready.peer)) {
      fill?.drop();
      refuse(request, response, TOO_MANY_REQUESTS);
      return;
    }
    if (!ready.peer.trusted)
      onGone(
        response,
        once(() => peers.leave(ready.peer)),
      );
    forwarding.begin(request, response, slot, ready, fill);
  };
  const take = (
    request: VisitorRequest,
    response: VisitorResponse,
    ready: Prepared | ErrorAnswer,
  ) => {
    if (monotonic === null || 'status' in ready) forward(request, response, ready);
    else monotonic.enter(request, response, ready, () => forward(request, response, ready));
  };
  const heads = fromCache?.heads;
  const pass = (request: ServedRequest, response: ServedResponse): true => {
    take(request, response, prepare.any(request));
    return true;
  };
  // Before all other passes: those before `stream` change the request in ways that allow smuggling (hazard 1).
  proxy.before('web', 'deleteLength', pass as never);

  const notYet = () => (router.current().firstFailed ? FIRST_BUILD_FAILED : FIRST_BUILD);

  const upgraded = (request: IncomingMessage) =>
    readyAnswers && asksReady(request.url) ? BAD_REQUEST : prepare.any(request);

  return {
    plain: {
      begin(request, response) {
        if (stopping()) response.shouldKeepAlive = false;
        if (readyAnswers && asksReady(request.url)) readyAnswers.send(request, response);
        else if (router.route() === null) refuse(request, response, notYet());
        else take(request, response, prepare.plain(request));
      },
      known: (text, socket) => heads?.find(text, groupOf({ peer: prepare.peerOf(socket) })) ?? null,
    },
    request(request, response) {
      if (stopping()) response.shouldKeepAlive = false;
      // RFC 9112 §9.6: what follows a request whose answer says `close` is not processed any more.
      if (errors.hasRefused(connectionOf(request))) drop(request);
      else if (readyAnswers && asksReady(request.url)) readyAnswers.send(request, response);
      else if (router.route() === null) refuse(request, response, notYet());
      else proxy.web(request as IncomingMessage, response as ServerResponse);
    },
    upgrade(request, socket, head) {
      const slot = router.route();
      const ready = slot === null ? notYet() : upgraded(request);
      if (monotonic && 'headers' in ready) takeSeenEpoch(ready.headers);
      if ('status' in ready) endSoon(socket, errors.raw(request.headers.accept, ready));
      else upgrades.handle(request, socket, head, slot as Slot, ready.headers);
    },
  };
}

/** `onGone` may call back more than once. */
function once(action: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) action();
    isDone = true;
  };
}
