import type { ProxyLimits } from '../../config/proxy-schema.ts';

/** Somebody who wants through. Each call comes at most once. */
export interface Guest {
  admitted(): void;
  /** There was no room, at once or after waiting. */
  turnedAway(): void;
}

/** Bounds what one slot works on at a time: so many at once, a few more in a short queue, no others. */
export interface Gate {
  enter(guest: Guest): void;
  /** For a guest that was admitted or is waiting, and not for one that was turned away. */
  leave(guest: Guest): void;
}

export function createGate(
  limits: Pick<ProxyLimits, 'inflightPerSlot' | 'queuedPerSlot' | 'queueTimeoutMs'>,
): Gate {
  let inside = 0;
  const queue = new Map<Guest, NodeJS.Timeout>();

  const admitNext = () => {
    const next = queue.entries().next();
    if (next.done) return;
    const [guest, timer] = next.value;
    clearTimeout(timer);
    queue.delete(guest);
    inside++;
    guest.admitted();
  };

  return {
    enter(guest) {
      if (inside < limits.inflightPerSlot) {
        inside++;
        guest.admitted();
        return;
      }
      if (queue.size >= limits.queuedPerSlot) {
        guest.turnedAway();
        return;
      }
      const giveUp = () => {
        queue.delete(guest);
        guest.turnedAway();
      };
      queue.set(guest, setTimeout(giveUp, limits.queueTimeoutMs));
    },
    leave(guest) {
      const timer = queue.get(guest);
      if (timer !== undefined) {
        clearTimeout(timer);
        queue.delete(guest);
        return;
      }
      inside--;
      admitNext();
    },
  };
}
