import { SlotsError } from '../../../errors.ts';
import type { Slot } from '../../../slots/slot.ts';
import { tryProbe } from '../../health/probe.ts';
import { judge } from '../../health/verdict.ts';
import type { StageContext } from './context.ts';

/**
 * Moves every worker to the slot that state.json has named active just before.
 *
 * @throws SlotsError `WORKERS_SILENT`, or `FLIP_DIED` when the candidate's release no longer answers after it
 */
export async function flip(context: StageContext, slot: Slot): Promise<void> {
  const { ports, health } = context.config;
  await context.assign();
  const answer = await tryProbe(ports[slot], health.path, health.timeoutMs);
  const verdict = judge(answer, context.store.state.slots[slot].release);
  if (verdict.is === 'well') return;
  const what = `the candidate stopped answering during the flip: ${verdict.why}`;
  throw new SlotsError('FLIP_DIED', what, { hint: `\`slots logs ${slot}\` shows its output` });
}
