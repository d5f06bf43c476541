import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../config/schema.ts';
import type { Slot } from '../../slots/slot.ts';
import type { Logger } from '../log.ts';
import type { Workers } from '../workers/fleet.ts';

/** How long a worker may take to close what it was told to cut, in milliseconds. */
const CUT_GRACE_MS = 3000;

const LOOK_INTERVAL_MS = 100;

interface Parts {
  config: Pick<Config, 'drainTimeoutMs'>;
  workers: Pick<Workers, 'inflight' | 'cut' | 'nextReport'>;
  log: Logger;
}

/**
 * Waits until no request and no upgraded connection is left on a slot that workers no longer route to; at
 * `drainTimeoutMs` what is still open is cut.
 */
export async function emptySlot(
  { config, workers, log }: Parts,
  slot: Slot,
  signal?: AbortSignal,
): Promise<void> {
  if (await isEmptyWithin(workers, slot, config.drainTimeoutMs, signal)) return;
  const left = workers.inflight(slot);
  log.warn(
    { event: 'promotion.cut', slot, inflight: left },
    `${left ?? 'some'} still open on ${slot} after ${config.drainTimeoutMs} ms, closing them`,
  );
  workers.cut(slot);
  await isEmptyWithin(workers, slot, CUT_GRACE_MS, signal);
}

async function isEmptyWithin(
  workers: Parts['workers'],
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
