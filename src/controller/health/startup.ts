import type { Logger } from '../log.ts';

/**
 * Whether the time after a start is over in which visitors may not be sent to the standby: while everything starts at once,
 * after a boot for instance, the slot that is up first may be the wrong one.
 */
export interface Startup {
  isOver(): boolean;
  /** Ends it when the active slot is well, or has had its time for that; says whether it has just ended. */
  endIf(active: { slot: string; isWell: boolean }): boolean;
}

/** @param limitMs how long the active slot may take, from now on */
export function createStartup(limitMs: number, log: Logger): Startup {
  const started = performance.now();
  let isOver = false;
  return {
    isOver: () => isOver,
    endIf({ slot, isWell }) {
      const late = performance.now() - started > limitMs;
      if (isOver || (!isWell && !late)) return false;
      isOver = true;
      if (!isWell) {
        const what = { event: 'slot.not-up', slot, ms: limitMs };
        log.warn(what, `${slot} is not up: the standby may take its place`);
      }
      return true;
    },
  };
}
