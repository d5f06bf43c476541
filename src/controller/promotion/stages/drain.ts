import { setTimeout as delay } from 'node:timers/promises';
import type { Slot } from '../../../slots/slot.ts';
import type { StageContext } from './context.ts';

/** How long a worker may take to close what it was told to cut, in milliseconds. */
const CUT_GRACE_MS = 3000;

const LOOK_INTERVAL_MS = 100;

/**
 * Waits until no request and no upgraded connection is left on a slot that workers no longer route to; at
 * `drainTimeoutMs` what is still open is cut.
 *
 * @returns how many were cut
 */
export async function emptySlot(
  context: StageContext,
  slot: Slot,
  signal?: AbortSignal,
): Promise<number> {
  const { config, workers, log } = context;
  if (await isEmptyWithin(context, slot, config.drainTimeoutMs, signal)) return 0;
  const left = workers.inflight(slot) ?? 0;
  log.warn(
    { event: 'promotion.cut', slot, inflight: left },
    `${left} still open on ${slot} after ${config.drainTimeoutMs} ms, closing them`,
  );
  workers.cut(slot);
  await isEmptyWithin(context, slot, CUT_GRACE_MS, signal);
  return left;
}

async function isEmptyWithin(
  { workers }: StageContext,
  slot: Slot,
  ms: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + ms;
  for (;;) {
    signal?.throwIfAborted();
    if (workers.inflight(slot) === 0) return true;
    if (performance.now() >= deadline) return false;
    await Promise.race([workers.nextReport(), delay(LOOK_INTERVAL_MS)]);
  }
}
