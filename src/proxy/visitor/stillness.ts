/** How far something had come at the last look, and at how many looks since it has not moved. */
interface Standing {
  taken: number;
  still: number;
}

/** Remembers from one look to the next what does not move. */
export interface Stillness {
  /** @returns at how many looks in a row this has been seen just as far as before */
  of(one: object, taken: number): number;
  /** A look is over: what it has not asked about is forgotten. */
  endLook(): void;
}

export function createStillness(): Stillness {
  let before = new Map<object, Standing>();
  let now = new Map<object, Standing>();
  return {
    of(one, taken) {
      const known = now.get(one);
      if (known) return known.still;
      const last = before.get(one);
      const still = last?.taken === taken ? last.still + 1 : 0;
      now.set(one, { taken, still });
      return still;
    },
    endLook() {
      before = now;
      now = new Map();
    },
  };
}
