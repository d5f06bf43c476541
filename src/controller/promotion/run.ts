import { messageOf, SlotsError } from '../../errors.ts';
import { slotRelease } from '../../slots/link.ts';
import { readRelease } from '../../slots/release.ts';
import { SLOTS, type Slot } from '../../slots/slot.ts';
import type { LastPromotion, Promotion } from '../../slots/state.ts';
import type { Assigner } from '../workers/assign.ts';
import { afterFailure, afterSuccess, begin, endDrain } from './machine.ts';
import { type Order, resolveGoal } from './order.ts';
import { prune } from './prune.ts';
import { reroutes, type Step } from './roles.ts';
import { build } from './stages/build.ts';
import { check } from './stages/check.ts';
import type { PromotionBy, Stage, StageContext } from './stages/context.ts';
import { drain } from './stages/drain.ts';
import { flip } from './stages/flip.ts';
import { putBack } from './stages/put-back.ts';
import { reload } from './stages/reload.ts';
import { start } from './stages/start.ts';
import { tellHistory } from './tell-history.ts';

const STAGES: { [S in Step]: Stage<S> } = {
  build,
  start,
  check,
  flip,
  drain,
  reload,
  'put back': putBack,
};

export interface Runner {
  /** Runs what state.json says is unfinished, then whatever the inbox holds, for ever. */
  run(): Promise<never>;
  /** Ends what runs early, since something more urgent waits; a flip and a reload run to their end. */
  interrupt(reason: string): void;
}

/** Runs promotions, one at a time: asks the state machine what is next, does it, tells it how that went. */
export function createRunner(
  context: StageContext,
  { assign, assignSoon }: Assigner,
  isHealthy: (slot: Slot) => boolean,
): Runner {
  const { config, paths, store, inbox, source, archive, log, fleet } = context;
  let interruption = new AbortController();

  const now = () => new Date().toISOString();

  async function run(): Promise<never> {
    for (;;) {
      if (store.state.promotion) await runPromotion();
      const order = await inbox.next(source.buildReason);
      const admitted = fleet ? await fleet.admit(order) : order;
      if (admitted) await take(admitted);
    }
  }

  async function take(order: Order): Promise<void> {
    const { id, trigger } = order;
    try {
      // It may have been pruned while the order waited for its turn.
      if (order.kind === 'release') await readRelease(paths, order.release);
      const [blue, green] = await Promise.all(SLOTS.map((slot) => slotRelease(paths, slot)));
      const links = { blue, green };
      await store.update((state) => {
        // After a put-back that failed, a link may lead elsewhere than the processes that are well.
        const isWarm = (slot: Slot) => isHealthy(slot) && links[slot] === state.slots[slot].release;
        const goal = resolveGoal(state, order, isWarm);
        const part = order.fleet && { fleet: order.fleet };
        return begin(state, { ...goal, ...part, id, trigger, startedAt: now() });
      });
      // Visitors are told that the first build runs, or runs again.
      if (store.state.active === null) assignSoon();
    } catch (error) {
      const { code, message } = toSlotsError(error);
      log.warn({ event: 'promotion.refused', id, trigger, code }, message);
      order.onRefused?.(error as Error);
      // Nothing is wrong with the order, which would be forgotten: the next controller looks for changes again.
      if (toSlotsError(error).code === 'STATE_UNWRITABLE') throw error;
      return;
    }
    log.info({ event: 'promotion.begin', id, trigger }, `promotion (${trigger})`);
  }

  async function runPromotion(): Promise<void> {
    interruption = new AbortController();
    const id = store.state.promotion?.id;
    for (let next = store.state.promotion; next; next = store.state.promotion) await runStep(next);
    // The slot that was renewed is a standby again: workers may fall back to it.
    assignSoon();
    const { last } = store.state;
    if (last && last.id === id) await record(last);
    await prune(config, paths, store.state, log);
    archive.tidy();
  }

  async function runStep(promotion: Promotion): Promise<void> {
    const { id, step } = promotion;
    const started = performance.now();
    const elapsed = () => performance.now() - started;
    try {
      // The other machines prepare the release while it starts here.
      if (step === 'start') fleet?.offer(promotion);
      // Invariant 6: no worker may route to a slot, or fall back to it, while its processes change.
      if (reroutes(step)) await assign();
      await act(step, promotion);
      if (promotion.step === 'check') await fleet?.agree(promotion, interruption.signal);
      await store.update((state) => afterSuccess(state, elapsed(), now()));
      const release = store.state.promotion?.release;
      const ms = Math.round(elapsed());
      const event = `promotion.${step.replace(' ', '-')}`;
      log.info({ event, id, release, ms }, `${step} done in ${ms} ms`);
    } catch (error) {
      await onStepError(promotion, error, elapsed());
    }
  }

  function act<S extends Step>(step: S, promotion: PromotionBy[S]): Promise<void> {
    return STAGES[step](context, promotion, interruption.signal);
  }

  async function onStepError({ id, step }: Promotion, error: unknown, ms: number): Promise<void> {
    const { code } = toSlotsError(error);
    const message = withRemedy(toSlotsError(error));
    const isInterrupted = interruption.signal.aborted;
    if (step === 'drain' && isInterrupted) {
      log.info({ event: 'promotion.drain-ended', id }, 'drain ended early');
      await store.update((state) => endDrain(state, now()));
      return;
    }
    log.error({ event: 'promotion.failed', id, stage: step, code, error: message }, message);
    await store.update((state) => afterFailure(state, { code, message }, ms, now()));
    if (isInterrupted && step !== 'put back') source.askAgain();
  }

  async function record(last: LastPromotion): Promise<void> {
    if (last.outcome !== 'failed') source.promotionSucceeded();
    await tellHistory(paths, last, log);
    log.info({ event: 'promotion.end', ...last }, `${last.outcome}: ${last.release}`);
  }

  return {
    run,
    interrupt(reason) {
      const step = store.state.promotion?.step;
      // A flip runs to its end, and then the drain after it need not.
      if (step === undefined || step === 'reload' || step === 'put back') return;
      interruption.abort(new SlotsError('INTERRUPTED', reason));
    },
  };
}

/** `last` has one line, where a hint is not seen. Those of other errors point to a log only. */
function withRemedy({ code, message, hint }: SlotsError): string {
  return hint && (code === 'BUILD_EMPTY' || code === 'BUILD_TIMEOUT')
    ? `${message}; ${hint}`
    : message;
}

function toSlotsError(error: unknown): SlotsError {
  if (error instanceof SlotsError) return error;
  const cause = (error as Error).cause;
  if ((error as Error).name === 'AbortError' && cause instanceof SlotsError) return cause;
  return new SlotsError('UNEXPECTED', messageOf(error), { cause: error });
}
