import { randomBytes } from 'node:crypto';

/** A maker of ids that are unique over workers and restarts: a random prefix and a counter. */
export function createRequestIds(): () => string {
  const prefix = randomBytes(8).toString('hex');
  let count = 0;
  return () => `${prefix}-${(++count).toString(36)}`;
}
