/** Random numbers that a seed decides, so that what a fuzz has found can be found again. */
export interface Random {
  /** From 0 up to, and without, this number; whole. */
  below(limit: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** A seed for another sequence. */
  seed(): number;
}

/** mulberry32 (public domain, Tommy Ettinger): 32 bits of state. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    below,
    chance: (probability) => next() < probability,
    pick: (list) => list[below(list.length)] as (typeof list)[number],
    seed: () => below(2 ** 32),
  };
}

/** Cuts bytes in up to so many places. */
export function cut(bytes: Buffer, at: Random, pieces: number): Buffer[] {
  const places = Array.from({ length: at.below(pieces) }, () => at.below(bytes.length + 1));
  const ends = [...places.sort((a, b) => a - b), bytes.length];
  return ends
    .map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end))
    .filter(({ length }) => length > 0);
}

/** A body of this length in which every byte tells whose it is. */
export function bodyOf(marker: string, length: number): string {
  return `${marker};`.repeat(Math.ceil(length / (marker.length + 1))).slice(0, length);
}
