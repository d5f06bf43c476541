import { messageOf, SlotsError } from '../../errors.ts';
import { pruneDeps } from '../../slots/deps.ts';
import { deleteRelease, listReleases, releasesToPrune } from '../../slots/release.ts';
import { otherSlot, type Slot } from '../../slots/slot.ts';
import type { Promotion, State } from '../../slots/state.ts';
import { buildRelease } from '../build/build.ts';
import { wantedDeps } from '../build/dependencies.ts';
import type { Inbox, Order } from '../source/inbox.ts';
import { createSourceQuestion } from '../source/source-question.ts';
import {
  afterFailure,
  afterSuccess,
  begin,
  endDrain,
  named,
  nextStep,
  resolveOrder,
} from './machine.ts';
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
        const { id, kind, trigger, release } = resolveOrder(state, order, isHealthy);
        return begin(state, { id, kind, trigger, release, startedAt: now() });
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
    let last = store.state.promotion as Promotion;
    while (store.state.promotion) {
      last = store.state.promotion;
      await runStage(last);
    }
    // The slot that was renewed is a standby again: workers may fall back to it.
    context
      .assign()
      .catch((error: Error) => log.error({ event: 'worker.assign', error: error.message }));
    await record(last);
    await prune();
  }

  async function runStage(promotion: Promotion): Promise<void> {
    const step = nextStep(promotion);
    const started = performance.now();
    const elapsed = () => performance.now() - started;
    try {
      await act(promotion, step);
      await store.update((state) => afterSuccess(state, elapsed(), now()));
      log.info(
        {
          event: `promotion.${step.replace(' ', '-')}`,
          id: promotion.id,
          release: store.state.promotion?.release,
          ms: Math.round(elapsed()),
        },
        `${step} done in ${Math.round(elapsed())} ms`,
      );
    } catch (error) {
      await onStageError(promotion, step, error, elapsed());
    }
  }

  async function onStageError(
    promotion: Promotion,
    step: ReturnType<typeof nextStep>,
    error: unknown,
    ms: number,
  ): Promise<void> {
    const { message, code } = toSlotsError(error);
    if (step === 'drain' && interruption.signal.aborted) {
      log.info({ event: 'promotion.drain-ended', id: promotion.id }, 'drain ended early');
      await store.update((state) => endDrain(state, now()));
      return;
    }
    log.error(
      { event: 'promotion.failed', id: promotion.id, stage: step, code, error: message },
      message,
    );
    if (step !== 'put back') {
      await store.update((state) => afterFailure(state, message, ms, now()));
      if (interruption.signal.aborted) question.askAgain();
      return;
    }
    const both = `${promotion.failure?.message}; and the standby could not be put back: ${message}`;
    const isGone = code === 'RELEASE_UNKNOWN';
    await store.update((state) => {
      const told = withFailureMessage(state, both);
      return afterSuccess(isGone ? withoutStandby(told) : told, ms, now());
    });
  }

  async function act(promotion: Promotion, step: ReturnType<typeof nextStep>): Promise<void> {
    const slot = promotion.slot as Slot;
    const release = promotion.release as string;
    const { signal } = interruption;
    switch (step) {
      case 'build':
        return build(promotion, signal);
      case 'start':
        return startSlot(context, slot, release, signal);
      case 'check':
        return checkSlot(context, slot, release, signal);
      case 'flip':
        return flip(context, slot);
      case 'drain':
        await context.assign();
        return void (await emptySlot(context, otherSlot(slot), signal));
      case 'reload':
        return reloadSlot(
          context,
          otherSlot(slot),
          store.state.slots[otherSlot(slot)].release as string,
        );
      case 'put back':
        return putBack(context, slot, promotion.previousRelease);
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

  async function record(promotion: Promotion): Promise<void> {
    const { last } = store.state;
    if (last?.id !== promotion.id) return;
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
      const stage = store.state.promotion?.stage;
      if (store.state.promotion?.failure) return;
      // A flip runs to its end, and then the drain after it need not.
      if (stage !== undefined && stage !== 'reload') {
        interruption.abort(new SlotsError('INTERRUPTED', reason));
      }
    },
  };
}

function withFailureMessage(state: State, message: string): State {
  const { promotion } = state;
  if (!promotion?.failure) return state;
  return { ...state, promotion: { ...promotion, failure: { ...promotion.failure, message } } };
}

/** What the candidate's slot held before cannot be put back: there is no standby. */
function withoutStandby(state: State): State {
  const slot = state.promotion?.slot;
  return slot ? { ...state, slots: { ...state.slots, [slot]: { release: null } } } : state;
}

function toSlotsError(error: unknown): SlotsError {
  if (error instanceof SlotsError) return error;
  const cause = (error as Error).cause;
  if ((error as Error).name === 'AbortError' && cause instanceof SlotsError) return cause;
  return new SlotsError('UNEXPECTED', messageOf(error), { cause: error });
}
