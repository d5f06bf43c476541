/** A member of a live set, and of no other at the same time. */
export interface LiveSetMember {
  /** The index in the live set, or -1; only the live set writes it. */
  liveIndex: number;
}

/** A set of what is open now, made for thousands that come and go each second. */
export interface LiveSet<T extends LiveSetMember> {
  /** A copy, in no order: it stays as it is while they go. */
  all(): T[];
  size(): number;
  add(one: T): void;
  /** @returns whether it was there */
  remove(one: T): boolean;
}

/**
 * An array: the last member takes the index of the one that is removed.
 *
 * Not a Set: V8 grows a Set by a new table that the old one points to, and the old one, dead but in the old
 * generation, keeps alive what it held. With 64 requests open at a time each one of them outlived the young
 * generation so, and collecting them took a sixth of the worker's time.
 */
export function createLiveSet<T extends LiveSetMember>(): LiveSet<T> {
  const members: T[] = [];
  return {
    all: () => [...members],
    size: () => members.length,
    add(one) {
      one.liveIndex = members.length;
      members.push(one);
    },
    remove(one) {
      const { liveIndex } = one;
      if (members[liveIndex] !== one) return false;
      one.liveIndex = -1;
      const last = members.pop() as T;
      if (last === one) return true;
      members[liveIndex] = last;
      last.liveIndex = liveIndex;
      return true;
    },
  };
}
