/** What is to be forgotten here when another machine has purged: pure. */
import type { Purge as What } from '../workers/purges.ts';
import type { Purge, Revised } from './records.ts';

/** A purge before the controller's start is done once more if it was so short ago, in milliseconds. */
const MISSED_MS = 3_600_000;

const EVERYTHING: What = { paths: [], tags: [] };

/**
 * The store keeps the last purge only. Each one names the one before it: where that was never seen here, nobody knows what it
 * was, and everything is forgotten.
 *
 * @param done the revision of the purge that was done last; `null`: there was none; `undefined`: the controller has just started
 * @param serverNow by the server's clock
 */
export function toForget(
  purge: Revised<Purge> | null,
  done: number | null | undefined,
  { id, serverNow }: { id: string; serverNow: number },
): What | null {
  if (purge === null || purge.revision === done) return null;
  const { paths, tags, by, at, after } = purge.value;
  if (done === undefined) return serverNow - at > MISSED_MS ? null : EVERYTHING;
  if (after !== done) return EVERYTHING;
  return by === id ? null : { paths, tags };
}
