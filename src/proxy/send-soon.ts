/** An answer that has begun and goes out as far as it has come, or a request. */
export interface Waiting {
  sendNow(): void;
}

let waiting: Waiting[] = [];

/** One callback for all that the event loop has read at a time: one for each of them shows in a profile. */
const send = () => {
  const now = waiting;
  waiting = [];
  for (const one of now) one.sendNow();
};

/**
 * Sends once all that has been received by now is worked off: a head together with as much of the body as came along,
 * and what goes out in one turn right after each other. What wakes up for the first of it finds the rest there (ran,
 * in requests per CPU-second: 14 to 17 % more for the answers, in 52 paired rounds, and 12 % for the requests to the
 * slot, in 16).
 */
export function sendSoon(one: Waiting): void {
  if (waiting.push(one) === 1) setImmediate(send);
}
