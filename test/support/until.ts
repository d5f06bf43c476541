import { setTimeout as delay } from 'node:timers/promises';

const LOOK_INTERVAL_MS = 20;

/**
 * Waits until the condition holds and returns what it gave. One that throws does not hold yet.
 *
 * @param what is waited for, for the message
 * @throws Error when it does not hold in time, with the condition's last error as its cause
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  what: string,
  timeoutMs = 30_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let cause: unknown;
    try {
      const value = await condition();
      if (value) return value as NonNullable<Exclude<T, false>>;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause });
    }
    await delay(LOOK_INTERVAL_MS);
  }
}
