/** An answer whose head waits for the first piece of its body, to leave together with it. */
export interface WaitingHead {
  flushHead(): void;
}

let waiting: WaitingHead[] = [];

/** One callback for all that the event loop has read at a time: one for each answer shows in a profile. */
const flush = () => {
  const now = waiting;
  waiting = [];
  for (const head of now) head.flushHead();
};

/** Flushes a head once all that has been received by now is worked off. */
export function flushSoon(head: WaitingHead): void {
  if (waiting.push(head) === 1) setImmediate(flush);
}
