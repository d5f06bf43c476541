import type { PerSlot, Slot } from '../../slots/slot.ts';

/** Requests and upgraded connections open on each slot. */
export interface Inflight {
  readonly counts: PerSlot<number>;
  enter(slot: Slot): void;
  leave(slot: Slot): void;
  /** Sets a count right. */
  correct(slot: Slot, count: number): void;
  /** Calls back when a slot has become empty. */
  onEmpty(listener: (slot: Slot) => void): void;
}

export function createInflight(): Inflight {
  const counts: PerSlot<number> = { blue: 0, green: 0 };
  let notify: (slot: Slot) => void = () => {};
  return {
    counts,
    enter(slot) {
      counts[slot]++;
    },
    leave(slot) {
      if (--counts[slot] === 0) notify(slot);
    },
    correct(slot, count) {
      counts[slot] = count;
      if (count === 0) notify(slot);
    },
    onEmpty(listener) {
      notify = listener;
    },
  };
}
