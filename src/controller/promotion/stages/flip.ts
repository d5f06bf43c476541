import { SlotsError } from '../../../errors.ts';
import type { Slot } from '../../../slots/slot.ts';
import { isHealthy, probe } from '../../health/probe.ts';
import type { StageContext } from './context.ts';

/**
 * Moves every worker to the slot that state.json has named active just before.
 *
 * @throws SlotsError `WORKERS_SILENT`, or `FLIP_DIED` when the candidate no longer answers after it
 */
export async function flip(context: StageContext, slot: Slot): Promise<void> {
  const { config } = context;
  await context.assign();
  const answer = await probe(config.ports[slot], config.health.path, config.health.timeoutMs).catch(
    (error: Error) => error,
  );
  if (answer instanceof Error || !isHealthy(answer.status)) {
    const how = answer instanceof Error ? answer.message : `status ${answer.status}`;
    throw new SlotsError('FLIP_DIED', `the candidate stopped answering during the flip: ${how}`, {
      hint: `\`slots logs ${slot}\` shows its output`,
    });
  }
}
