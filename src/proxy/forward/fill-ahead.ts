/**
 * Asks the candidate, before its flip, for what visitors have asked of the live release: its first visitors are then answered
 * from memory, where a site that renders slowly would have them all wait at once.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { otherSlot, type Slot } from '../../slots/slot.ts';
import type { ReleaseCache } from '../cache/cache.ts';
import type { CacheRequest, Fill } from '../cache/fill.ts';

/** The candidate has the machine to share with the slot that visitors are on. */
const AT_ONCE = 4;

/** URLs; those that visitors asked for last come first. */
const MOST_URLS = 1000;

/** Sends a request of nobody's; resolves when its answer has come, or is not going to. */
export type AskAhead = (
  request: CacheRequest,
  slot: Slot,
  fill: Fill,
  limitMs: number,
) => Promise<void>;

/** @returns how many URLs have been asked for by the time that it is over */
export async function fillAhead(
  cache: ReleaseCache,
  ask: AskAhead,
  slot: Slot,
  withinMs: number,
): Promise<number> {
  const until = performance.now() + withinMs;
  // By then visitors may have moved the order.
  const requests = first(cache.requestsOf(otherSlot(slot)), MOST_URLS)[Symbol.iterator]();
  let urls = 0;
  const lane = async () => {
    for (let next = requests.next(); !next.done; next = requests.next()) {
      const leftMs = until - performance.now();
      if (leftMs <= 0) return;
      const fill = cache.fillAhead(next.value, slot);
      if (fill === null) continue;
      await ask(next.value, slot, fill, leftMs);
      urls++;
    }
  };
  const lanes = Promise.all(Array.from({ length: AT_ONCE }, lane));
  await Promise.race([lanes, delay(withinMs, undefined, { ref: false })]);
  return urls;
}

function first<T>(all: Iterable<T>, most: number): T[] {
  const found: T[] = [];
  for (const one of all) {
    if (found.length === most) break;
    found.push(one);
  }
  return found;
}
