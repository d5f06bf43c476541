/** Compares what is counted with those it is counted for, once a minute: what an owner has left behind is put right. */
import { type PerSlot, SLOTS, type Slot } from '../../slots/slot.ts';

/** A count that differs from the number of its owners, or an owner that is gone and has not been ended. */
export class Leak extends Error {
  readonly code = 'LEAK';
}

/** A number, and how many there should be. */
export interface Count {
  slot: Slot;
  what: 'places' | 'requests in flight';
  counted: number;
  owners: number;
}

/** The counts that are wrong. */
export function differences(counts: readonly Count[]): Count[] {
  return counts.filter(({ counted, owners }) => counted !== owners);
}

/** How many hold a place of a slot, and how many are in flight on it. */
export interface Owners {
  places: number;
  inflight: number;
}

export interface Audited {
  /** Ends exchanges whose visitors are gone; how many there were. */
  endDead(): number;
  owners(slot: Slot): Owners;
  /** Connections to each slot. */
  connections: PerSlot<{ endLeaked(): number }>;
  places: PerSlot<{ held(): number; correct(held: number): void }>;
  inflight: { readonly counts: PerSlot<number>; correct(slot: Slot, count: number): void };
}

/** @returns what was wrong and has been put right */
export function audit(audited: Audited): Leak[] {
  const leaks: Leak[] = [];
  const dead = audited.endDead();
  if (dead > 0)
    leaks.push(new Leak(`${dead} requests or WebSockets were open for visitors who are gone`));
  for (const slot of SLOTS) {
    const leaked = audited.connections[slot].endLeaked();
    if (leaked === 0) continue;
    leaks.push(new Leak(`${slot}: ${leaked} connections were taken by requests that are over`));
  }
  const counts = SLOTS.flatMap((slot): Count[] => {
    const { places, inflight } = audited.owners(slot);
    return [
      { slot, what: 'places', counted: audited.places[slot].held(), owners: places },
      {
        slot,
        what: 'requests in flight',
        counted: audited.inflight.counts[slot],
        owners: inflight,
      },
    ];
  });
  for (const { slot, what, counted, owners } of differences(counts)) {
    leaks.push(new Leak(`${slot}: ${counted} ${what} were counted, and there are ${owners}`));
    if (what === 'places') audited.places[slot].correct(owners);
    else audited.inflight.correct(slot, owners);
  }
  return leaks;
}
