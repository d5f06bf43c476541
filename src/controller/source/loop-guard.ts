/** So many builds in a row that changed what they had read themselves are no coincidence. */
const MAX_IN_A_ROW = 3;

/**
 * Tells a build that writes into what is watched, and so starts the next one for ever, from a person who saves
 * while it runs: between two builds of a person's, too, something changes now and then; a build writes only while
 * it runs.
 */
export interface LoopGuard {
  /** A build has read the source, whose stamp is this. */
  began(stamp: string): void;
  /** It has ended, well or not, and the source's stamp is this now. */
  ended(stamp: string): void;
  /** Whether a build of what has this stamp would only go on with a loop. */
  isLoop(stamp: string): boolean;
}

export function createLoopGuard(): LoopGuard {
  let inARow = 0;
  let before = '';
  let after = '';
  return {
    began(stamp) {
      if (stamp !== after) inARow = 0;
      before = stamp;
    },
    ended(stamp) {
      inARow = stamp === before ? 0 : inARow + 1;
      after = stamp;
    },
    isLoop: (stamp) => inARow >= MAX_IN_A_ROW && stamp === after,
  };
}
