import { SlotsError } from '../../../errors.ts';
import type { Candidate } from '../../../slots/state.ts';
import { tryProbeSlot } from '../../health/probe.ts';
import { judge } from '../../health/verdict.ts';
import type { StageContext } from './context.ts';

/**
 * Every worker has moved to the slot that state.json has named active: the runner assigns before this step.
 * This checks that the candidate has outlived it.
 *
 * @throws SlotsError `FLIP_DIED` when the candidate's release no longer answers
 */
export async function flip({ config }: StageContext, { slot, release }: Candidate): Promise<void> {
  const verdict = judge(await tryProbeSlot(config, slot), release);
  if (verdict.is === 'well') return;
  const what = `the candidate stopped answering during the flip: ${verdict.why}`;
  throw new SlotsError('FLIP_DIED', what, { hint: `\`slots logs ${slot}\` shows its output` });
}
