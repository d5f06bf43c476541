/** Workers that ask a candidate for what visitors have asked of the live release. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Slot } from '../../slots/slot.ts';
import type { FromWorker, ToWorker } from '../../wire/messages.ts';

/** From a worker's limit to its answer, in milliseconds. */
const ANSWER_MS = 500;

export interface Fills {
  /**
   * @param withinMs for each worker, in milliseconds
   * @returns how many URLs were asked for, together
   */
  order(
    slot: Slot,
    withinMs: number,
    workers: readonly ((message: ToWorker) => void)[],
  ): Promise<number>;
  receive(message: Extract<FromWorker, { type: 'filled' }>): void;
}

export function createFills(): Fills {
  const asked = new Map<number, (urls: number) => void>();
  let lastId = 0;
  return {
    async order(slot, withinMs, workers) {
      const late = delay(withinMs + ANSWER_MS, 0, { ref: false });
      const answers = workers.map((send) => {
        const id = ++lastId;
        const { promise, resolve } = Promise.withResolvers<number>();
        asked.set(id, resolve);
        send({ type: 'fill', id, slot, withinMs });
        return Promise.race([promise, late]).finally(() => asked.delete(id));
      });
      return (await Promise.all(answers)).reduce((sum, urls) => sum + urls, 0);
    },
    receive: ({ id, urls }) => asked.get(id)?.(urls),
  };
}
