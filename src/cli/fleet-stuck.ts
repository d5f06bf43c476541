import { setTimeout as delay } from 'node:timers/promises';
import type { FleetReport } from '../controller/fleet/api.ts';
import { SlotsError } from '../errors.ts';
import type { SitePaths } from '../slots/paths.ts';
import { callController } from './client.ts';

const LOOK_INTERVAL_MS = 500;

/** A machine that is started while NATS is, too, has its first release a little later. In milliseconds. */
const PATIENCE_MS = 15_000;

/**
 * A machine without a release waits for its fleet. Resolves when that has had the same problem for a while, so that whoever
 * waits is told; never, while there is none.
 */
export async function fleetStuck(paths: SitePaths, signal: AbortSignal): Promise<SlotsError> {
  let since = performance.now();
  let known: string | null = null;
  for (;;) {
    await delay(LOOK_INTERVAL_MS, undefined, { signal });
    const report = await callController<FleetReport>(paths, 'GET', '/api/fleet').catch(() => null);
    const problem = report?.problem ?? null;
    if (problem !== known) since = performance.now();
    known = problem;
    if (problem === null || performance.now() - since < PATIENCE_MS) continue;
    return new SlotsError('FLEET_AWAY', `no release is live: ${problem}`, {
      hint: 'what was started goes on trying; `slots fleet` shows it, `slots doctor` checks the servers',
    });
  }
}
