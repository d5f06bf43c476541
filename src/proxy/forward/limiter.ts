import type { ProxyLimits } from '../../config/proxy-schema.ts';

/** A request that holds a place in a slot, or wants one. The limiter makes each call at most once. */
export interface PlaceOwner {
  admitted(): void;
  /** There was no room, at once or after waiting. */
  turnedAway(): void;
}

/** Bounds what one slot works on at a time: so many at once, a few more in a short queue, no others. */
export interface Limiter {
  enter(owner: PlaceOwner): void;
  /** For an owner that was admitted or is waiting, and not for one that was turned away. */
  leave(owner: PlaceOwner): void;
  /** How many places are taken. */
  held(): number;
  /** Sets right how many places are taken, and lets in who waits for one. */
  correct(held: number): void;
}

export function createLimiter(
  limits: Pick<ProxyLimits, 'inflightPerSlot' | 'queuedPerSlot' | 'queueTimeoutMs'>,
): Limiter {
  let inside = 0;
  const queue = new Map<PlaceOwner, NodeJS.Timeout>();

  const admitNext = () => {
    const next = queue.entries().next();
    if (next.done) return;
    const [owner, timer] = next.value;
    clearTimeout(timer);
    queue.delete(owner);
    inside++;
    owner.admitted();
  };

  return {
    enter(owner) {
      if (inside < limits.inflightPerSlot) {
        inside++;
        owner.admitted();
        return;
      }
      if (queue.size >= limits.queuedPerSlot) {
        owner.turnedAway();
        return;
      }
      const giveUp = () => {
        queue.delete(owner);
        owner.turnedAway();
      };
      queue.set(owner, setTimeout(giveUp, limits.queueTimeoutMs));
    },
    leave(owner) {
      const timer = queue.get(owner);
      if (timer !== undefined) {
        clearTimeout(timer);
        queue.delete(owner);
        return;
      }
      inside--;
      admitNext();
    },
    held: () => inside,
    correct(held) {
      inside = held;
      while (queue.size > 0 && inside < limits.inflightPerSlot) admitNext();
    },
  };
}
