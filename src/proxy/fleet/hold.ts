/** Requests of visitors who have seen a newer epoch than this machine's: held until it flips, else passed on to a machine that has. */
import type { Duplex } from 'node:stream';
import type { Assignment } from '../../wire/assignment.ts';
import type { Prepared } from '../request/preparation.ts';
import type { VisitorRequest, VisitorResponse } from '../visitor/kinds.ts';
import { PlainRequest } from '../visitor/plain-response.ts';
import { hasBody } from '../visitor/request.ts';
import { isGone, onGone, setCookieWith } from '../visitor/response.ts';
import { epochCookie, takeSeenEpoch } from './epoch-cookie.ts';
import { choosePeer, epochToTell, waitsForFlip } from './monotonic.ts';
import type { PassOn } from './pass-on.ts';

/** Machines flip within some milliseconds of each other: one that has not by then is behind, in milliseconds. */
export const LONGEST_WAIT_MS = 250;

/** Requests that wait or are passed on at a time, in one worker; others get what this machine has. */
const MOST_HELD = 512;

export interface Monotonic {
  /** Calls back when the request is to be answered here, which may be at once; it may be passed on instead. */
  enter(
    request: VisitorRequest,
    response: VisitorResponse,
    prepared: Prepared,
    here: () => void,
  ): void;
  /** The request is about to be answered here: its visitor is told the epoch. */
  tell(request: VisitorRequest, response: VisitorResponse, prepared: Prepared): void;
  /** The worker routes by another assignment. */
  flipped(): void;
  /** The connections of requests that are held or passed on. */
  sockets(): Duplex[];
}

interface Parts {
  current(): Pick<Assignment, 'fleet'>;
  passOn: PassOn;
  onFault(error: Error): void;
}

interface Held {
  request: VisitorRequest;
  seen: number;
  /** Goes on, because of the flip or of the time. */
  go(): void;
}

export function createMonotonic({ current, passOn, onFault }: Parts): Monotonic {
  const held = new Set<Held>();
  const passed = new Set<VisitorRequest>();

  const guarded = (request: VisitorRequest, act: () => void) => {
    try {
      act();
    } catch (error) {
      onFault(error as Error);
      request.socket.destroy();
    }
  };

  const pass = (
    request: VisitorRequest,
    response: VisitorResponse,
    prepared: Prepared,
    seen: number,
    here: () => void,
  ) => {
    const { fleet } = current();
    const isSafe = (request.method === 'GET' || request.method === 'HEAD') && !hasBody(request);
    const peer = fleet && isSafe ? choosePeer(seen, fleet, Math.random()) : null;
    if (peer === null) return here();
    passed.add(request);
    onGone(response, () => passed.delete(request));
    const { address } = peer;
    passOn.send({ request, response, prepared, seen, address }, () => {
      passed.delete(request);
      guarded(request, here);
    });
  };

  const hold = (
    request: VisitorRequest,
    response: VisitorResponse,
    prepared: Prepared,
    seen: number,
    here: () => void,
  ) => {
    let isOver = false;
    const leave = () => {
      isOver = true;
      clearTimeout(timer);
      held.delete(one);
    };
    const one: Held = {
      request,
      seen,
      go() {
        if (isOver) return;
        leave();
        if (isGone(request, response)) return;
        const isBehind = seen > (current().fleet?.epoch ?? 0);
        guarded(request, isBehind ? () => pass(request, response, prepared, seen, here) : here);
      },
    };
    const timer = setTimeout(one.go, LONGEST_WAIT_MS);
    held.add(one);
    onGone(response, leave);
  };

  return {
    enter(request, response, prepared, here) {
      const seen = takeSeenEpoch(prepared.headers);
      prepared.seen = seen;
      const { fleet } = current();
      const mayHold = held.size + passed.size < MOST_HELD;
      if (!fleet || !mayHold || !waitsForFlip(seen, fleet)) here();
      else hold(request, response, prepared, seen.seen, here);
    },
    tell(request, response, prepared) {
      const { fleet } = current();
      const { seen } = prepared;
      if (!fleet || !seen) return;
      const epoch = epochToTell(seen, fleet);
      setCookieWith(response, epoch === null ? null : epochCookie(epoch, prepared.peer.encrypted));
      // Its answer is for this one visitor, and not for whoever sends the same bytes later.
      const isSpecial = epoch !== null || seen.passed || seen.seen > fleet.epoch;
      if (isSpecial && request instanceof PlainRequest) request.text = null;
    },
    flipped() {
      const epoch = current().fleet?.epoch ?? 0;
      for (const one of [...held]) if (one.seen <= epoch) one.go();
    },
    sockets: () => [
      ...[...held].map(({ request }) => request.socket as Duplex),
      ...[...passed].map(({ socket }) => socket as Duplex),
    ],
  };
}
