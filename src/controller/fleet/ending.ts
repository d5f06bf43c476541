/** How a promotion of the fleet ends, read off two states that follow each other: pure. */
import type { Promotion, State } from '../../slots/state.ts';

export type Ending =
  | { is: 'flipped'; promotion: Promotion }
  /** It failed, or there was nothing to promote. */
  | { is: 'over'; promotion: Promotion; why: string };

/** @returns `null` while it goes on, and where no promotion of the fleet is concerned */
export function ending({ promotion: was }: State, after: State): Ending | null {
  if (!was?.fleet || was.step === 'drain' || was.step === 'reload' || was.step === 'put back') {
    return null;
  }
  const { promotion, last } = after;
  if (promotion?.id === was.id) {
    if (promotion.step === 'put back') {
      return { is: 'over', promotion: was, why: promotion.failure.message };
    }
    // The release has got its name, or the next stage has begun.
    const isFlipped = promotion.step === 'drain' || promotion.step === 'reload';
    return isFlipped ? { is: 'flipped', promotion } : null;
  }
  if (last?.id === was.id && last.outcome !== 'failed') return { is: 'flipped', promotion: was };
  const why = last?.id === was.id ? (last.error ?? 'failed') : 'nothing has changed';
  return { is: 'over', promotion: was, why };
}
