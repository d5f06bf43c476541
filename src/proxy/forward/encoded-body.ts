/** An answer's body that does not reach the visitor as the slot has sent it. */
import type { BodyEncoder, EncoderSink } from '../compress/encoder.ts';
import type { Answer } from '../visitor/answer.ts';
import { onDrain, whenTaken } from '../visitor/response.ts';
import type { ExchangeState } from './exchange-state.ts';

/** Pieces of an answer that may wait for the visitor: small ones take more memory than their bytes. */
export const MOST_WAITING_PIECES = 256;

/** Takes what an encoder has made to the visitor, at the visitor's speed. */
export function toVisitor(exchange: ExchangeState): EncoderSink {
  const { response } = exchange;
  let pieces = 0;
  let isFull = false;
  return {
    write(bytes) {
      isFull = !(exchange.answer as Answer).write(bytes);
      pieces = response.writableLength === 0 ? 0 : pieces + 1;
      return !isFull && pieces < MOST_WAITING_PIECES;
    },
    whenTaken(goOn) {
      const wait = isFull ? onDrain : whenTaken;
      wait(response, () => {
        pieces = 0;
        goOn();
      });
    },
    end: () => exchange.answer?.end(),
    failed: (error) => exchange.giveUp(error),
  };
}

/** For an answer whose body the visitor has already: the slot's connection is read to its end, so that it may be used again. */
export function toNobody(exchange: ExchangeState): BodyEncoder {
  return {
    write: () => true,
    onRoom: () => {},
    end: () => exchange.answer?.end(),
    destroy: () => {},
  };
}
