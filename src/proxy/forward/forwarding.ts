import type { Duplex } from 'node:stream';
import type { Slot } from '../../slots/slot.ts';
import type { Fill } from '../cache/fill.ts';
import { createLiveSet } from '../live-set.ts';
import type { Prepared } from '../request/preparation.ts';
import type { VisitorRequest, VisitorResponse } from '../visitor/kinds.ts';
import { isGone, onGone } from '../visitor/response.ts';
import type { Owners } from './audit.ts';
import type { ExchangeContext } from './context.ts';
import { Exchange } from './exchange.ts';
import { createHeadWatch } from './head-watch.ts';

/** The requests of one worker that are on their way. */
export interface Forwarding {
  /** Sends a request to a slot, and its answer back. */
  begin(
    request: VisitorRequest,
    response: VisitorResponse,
    slot: Slot,
    prepared: Prepared,
    fill: Fill | null,
  ): void;
  /** Ends what is still open on a slot. */
  cut(slot: Slot): void;
  /** The connections that a request is on. */
  sockets(): Duplex[];
  /** Ends what is open for visitors who are gone; how many there were. */
  endDead(): number;
  /** Of the requests that are open on a slot. */
  owners(slot: Slot): Owners;
}

/**
 * @param headTimeoutMs how long a slot may take for the head of an answer
 * @param ended called once for each request, when its answer has ended, finished or not
 */
export function createForwarding(
  context: ExchangeContext,
  headTimeoutMs: number,
  ended: (exchange: Exchange) => void,
): Forwarding {
  const exchanges = createLiveSet<Exchange>();
  const headWatch = createHeadWatch(headTimeoutMs, exchanges.all);

  const onOver = (exchange: Exchange) => {
    exchanges.remove(exchange);
    ended(exchange);
  };

  return {
    begin(request, response, slot, { path, headers }, fill) {
      const exchange = new Exchange(context, request, response, slot, path, headers, fill, onOver);
      exchanges.add(exchange);
      headWatch.begin();
      onGone(response, () => exchange.end());
      exchange.begin();
    },
    cut(slot) {
      for (const exchange of exchanges.all()) if (exchange.slot === slot) exchange.cut();
    },
    endDead() {
      const dead = exchanges.all().filter(({ request, response }) => isGone(request, response));
      for (const exchange of dead) exchange.end();
      return dead.length;
    },
    owners(slot) {
      const all = exchanges.all().filter((exchange) => exchange.slot === slot);
      return { places: all.filter(({ place }) => place === 'held').length, inflight: all.length };
    },
    sockets: () => exchanges.all().map(({ request }) => request.socket as Duplex),
  };
}
