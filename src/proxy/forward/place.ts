/** An exchange's place in the limiter of its slot. */
import type { ExchangeState } from './exchange-state.ts';

export function enterPlace(exchange: ExchangeState): void {
  exchange.place = 'wanted';
  exchange.context.limiters[exchange.slot].enter(exchange);
}

/** Nothing happens without a place, so that each is given back once. */
export function leavePlace(exchange: ExchangeState): void {
  if (exchange.place === 'none') return;
  exchange.place = 'none';
  exchange.context.limiters[exchange.slot].leave(exchange);
}
