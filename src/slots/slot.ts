/** The two build slots of a site. */
export const SLOTS = ['blue', 'green'] as const;

export type Slot = (typeof SLOTS)[number];

/** A slot's part in serving visitors right now. `down`: it holds no release, or nothing of it answers. */
export type Role = 'active' | 'standby' | 'candidate' | 'retiring' | 'down';

export function otherSlot(slot: Slot): Slot {
  return slot === 'blue' ? 'green' : 'blue';
}

/** One value for each slot, for instance its port or its in-flight count. */
export type PerSlot<T> = Record<Slot, T>;

/** An instance whose slot holds no release exits with this code (EX_CONFIG of sysexits.h); PM2 leaves it stopped. */
export const NO_RELEASE_EXIT_CODE = 78;
