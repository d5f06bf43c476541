import type { Slot } from '../../slots/slot.ts';

/** A site that answers wrongly does so again and again: one line a minute says it. */
const SILENCE_MS = 60_000;

/**
 * Tells of answers that no visitor can be given, for each slot at most once a minute.
 *
 * @param tell gets how many more there were since it was last told of this slot
 * @param now in milliseconds
 */
export function tellBadAnswers(
  tell: (slot: Slot, error: Error, more: number) => void,
  now: () => number = () => performance.now(),
): (slot: Slot, error: Error) => void {
  const told = new Map<Slot, { at: number; more: number }>();
  return (slot, error) => {
    const before = told.get(slot);
    if (before && now() - before.at < SILENCE_MS) {
      before.more++;
      return;
    }
    told.set(slot, { at: now(), more: 0 });
    tell(slot, error, before?.more ?? 0);
  };
}
