import { messageOf, SlotsError } from '../../errors.ts';
import { pruneDeps } from '../../slots/deps.ts';
import { deleteRelease, listReleases, releasesToPrune } from '../../slots/release.ts';
import { otherSlot, type Slot } from '../../slots/slot.ts';
import type { LastPromotion, Promotion } from '../../slots/state.ts';
import { buildRelease } from '../build/build.ts';
import { wantedDeps } from '../build/dependencies.ts';
import type { Inbox } from '../source/inbox.ts';
import { createSourceQuestion } from '../source/source-question.ts';
import { afterFailure, afterSuccess, begin, endDrain, named } from './machine.ts';
import { type Order, resolveGoal } from './order.ts';
import { checkSlot } from './stages/check.ts';
import type { StageContext } from './stages/context.ts';
import { emptySlot } from './stages/drain.ts';
import { flip } from './stages/flip.ts';
import { putBack } from './stages/put-back.ts';
import { reloadSlot } from './stages/reload.ts';
import { startSlot } from './stages/start.ts';
import { tellHistory } from './tell-history.ts';

export interface Conductor {
  /** Runs what state.json says is unfinished, then whatever the inbox holds, for ever. */
  run(): Promise<never>;
  /** Ends what runs early, since something more urgent waits; a flip and a reload run to their end. */
  interrupt(reason: string): void;
  /** Why changes are not built at the moment, in one line, or `null`. */
  problem(): string | null;
}

/** Runs promotions, one at a time: asks the state machine what is next, does it, tells it how that went. */
export function createConductor(
  context: StageContext,
  inbox: Inbox,
  isHealthy: (slot: Slot) => boolean,
  onBuildLine: (line: string) => void,
): Conductor {
  const { config, paths, store, log } = context;
  let interruption = new AbortController();
  const question = createSourceQuestion(context, inbox);

  const now = () => new Date().toISOString();

  async function run(): Promise<never> {
    for (;;) {
      if (store.state.promotion) await runPromotion();
      const order = await inbox.next(question.buildReason);
      await take(order);
    }
  }

  async function take(order: Order): Promise<void> {
    try {
      await store.update((state) => {
        const { id, trigger } = order;
        return begin(state, {
          ...resolveGoal(state, order, isHealthy),
          id,
          trigger,
          startedAt: now(),
        });
      });
    } catch (error) {
      order.onRefused?.(error as Error);
      // Nothing is wrong with the order, which would be forgotten: the next controller looks for changes again.
      if (toSlotsError(error).code === 'STATE_UNWRITABLE') throw error;
      return;
    }
    const { id, trigger } = order;
    log.info({ event: 'promotion.begin', id, trigger }, `promotion (${trigger})`);
  }

  async function runPromotion(): Promise<void> {
    interruption = new AbortController();
    const id = store.state.promotion?.id;
    for (let next = store.state.promotion; next; next = store.state.promotion) await runStep(next);
    // The slot that was renewed is a standby again: workers may fall back to it.
    context
      .assign()
      .catch((error: Error) => log.error({ event: 'worker.assign', error: error.message }));
    const { last } = store.state;
    if (last && last.id === id) await record(last);
    await prune();
  }

  async function runStep(promotion: Promotion): Promise<void> {
    const { id, step } = promotion;
    const started = performance.now();
    const elapsed = () => performance.now() - started;
    try {
      await act(promotion);
      await store.update((state) => afterSuccess(state, elapsed(), now()));
      const release = store.state.promotion?.release;
      const ms = Math.round(elapsed());
      const event = `promotion.${step.replace(' ', '-')}`;
      log.info({ event, id, release, ms }, `${step} done in ${ms} ms`);
    } catch (error) {
      await onStepError(promotion, error, elapsed());
    }
  }

  async function onStepError({ id, step }: Promotion, error: unknown, ms: number): Promise<void> {
    const { message, code } = toSlotsError(error);
    const isInterrupted = interruption.signal.aborted;
    if (step === 'drain' && isInterrupted) {
      log.info({ event: 'promotion.drain-ended', id }, 'drain ended early');
      await store.update((state) => endDrain(state, now()));
      return;
    }
    log.error({ event: 'promotion.failed', id, stage: step, code, error: message }, message);
    await store.update((state) => afterFailure(state, { code, message }, ms, now()));
    if (isInterrupted && step !== 'put back') question.askAgain();
  }

  async function act(promotion: Promotion): Promise<void> {
    const { signal } = interruption;
    switch (promotion.step) {
      case 'build':
        return build(promotion, signal);
      case 'start':
        return startSlot(context, promotion.slot, promotion.release, signal);
      case 'check':
        return checkSlot(context, promotion.slot, promotion.release, signal);
      case 'flip':
        return flip(context, promotion.slot);
      case 'drain':
        await context.assign();
        return void (await emptySlot(context, otherSlot(promotion.slot), signal));
      case 'reload': {
        const slot = otherSlot(promotion.slot);
        return reloadSlot(context, slot, store.state.slots[slot].release as string);
      }
      case 'put back':
        return putBack(context, promotion.slot, promotion.previous);
    }
  }

  async function build(promotion: Promotion, signal: AbortSignal): Promise<void> {
    const build = buildRelease(config, paths, {
      trigger: promotion.trigger,
      changed: inbox.takeChanges(),
      signal,
      onNamed: async (id, source) => {
        question.buildBegan(source);
        await store.update((state) => named(state, id));
      },
      onLine: onBuildLine,
    });
    const release = await build.finally(question.buildEnded);
    if (release.unsettled) inbox.lookForChanges('edit');
  }

  async function record(last: LastPromotion): Promise<void> {
    if (last.outcome !== 'failed') question.promotionSucceeded();
    await tellHistory(paths, last, log);
    log.info({ event: 'promotion.end', ...last }, `${last.outcome}: ${last.release}`);
  }

  async function prune(): Promise<void> {
    const ids = (await listReleases(paths)).map(({ id }) => id);
    const { blue, green } = store.state.slots;
    const inUse = new Set([blue.release, green.release].filter((id) => id !== null));
    for (const id of releasesToPrune(ids, inUse, config.keep)) {
      await deleteRelease(paths, id);
      log.info({ event: 'release.pruned', release: id }, `removed ${id}`);
    }
    for (const key of await pruneDeps(paths, await wantedDeps(config, paths.root))) {
      log.info({ event: 'deps.pruned', deps: key }, `removed the dependencies ${key}`);
    }
  }

  return {
    run,
    problem: question.problem,
    interrupt(reason) {
      const step = store.state.promotion?.step;
      // A flip runs to its end, and then the drain after it need not.
      if (step === undefined || step === 'reload' || step === 'put back') return;
      interruption.abort(new SlotsError('INTERRUPTED', reason));
    },
  };
}

function toSlotsError(error: unknown): SlotsError {
  if (error instanceof SlotsError) return error;
  const cause = (error as Error).cause;
  if ((error as Error).name === 'AbortError' && cause instanceof SlotsError) return cause;
  return new SlotsError('UNEXPECTED', messageOf(error), { cause: error });
}
