/** Limits by caller, none of which lets one caller, or many, keep another one out. */

export interface Places {
  /**
   * Takes a place for reading one call. Where there is none left, the call that holds one for longest gives its up:
   * a git host's call is read in milliseconds, so that the oldest one is the least likely to be a push.
   *
   * @param giveUp called at most once, and never after the place was given back
   * @returns gives the place back
   */
  take(caller: string, giveUp: () => void): () => void;
}

/**
 * @param perCaller places of one caller, whose own oldest call gives way to the next
 * @param inAll places of all callers together
 */
export function createPlaces(perCaller: number, inAll: number): Places {
  const held = new Set<{ caller: string; giveUp: () => void }>();
  return {
    take(caller, giveUp) {
      const own = [...held].filter((place) => place.caller === caller);
      const [oldest] = own.length >= perCaller ? own : held.size >= inAll ? held : [];
      if (oldest) {
        held.delete(oldest);
        oldest.giveUp();
      }
      const place = { caller, giveUp };
      held.add(place);
      return () => void held.delete(place);
    },
  };
}

/** Callers whose allowance is remembered: one that is forgotten begins with a whole one. */
const MAX_CALLERS = 1000;

/** So many at once, and so many a minute after that, for each caller by itself. */
export function createAllowance(
  perMinute: number,
  now: () => number = () => performance.now(),
): (caller: string) => boolean {
  const callers = new Map<string, { left: number; at: number }>();
  return (caller) => {
    const at = now();
    const known = callers.get(caller) ?? { left: perMinute, at };
    const left = Math.min(perMinute, known.left + ((at - known.at) / 60_000) * perMinute);
    // Moved to the end, so that the first one is the one to forget.
    callers.delete(caller);
    const [oldest] = callers.keys();
    if (callers.size >= MAX_CALLERS) callers.delete(oldest as string);
    callers.set(caller, { left: left < 1 ? left : left - 1, at });
    return left >= 1;
  };
}
