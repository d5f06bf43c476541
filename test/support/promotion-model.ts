import { setImmediate } from 'node:timers/promises';
import * as machine from '../../src/controller/promotion/machine.ts';
import {
  buildOrder,
  type Order,
  type ResolvedGoal,
  resolveGoal,
  rollbackOrder,
} from '../../src/controller/promotion/order.ts';
import { hasStandby, warmSlots } from '../../src/controller/promotion/roles.ts';
import { createInbox, type Inbox } from '../../src/controller/source/inbox.ts';
import { SlotsError } from '../../src/errors.ts';
import { SLOTS } from '../../src/slots/slot.ts';
import {
  EMPTY_STATE,
  type LastPromotion,
  type Promotion,
  type State,
} from '../../src/slots/state.ts';
import type { Trigger } from '../../src/slots/trigger.ts';
import { toAssignment } from '../../src/wire/assignment.ts';
import type { Event, EventOf } from './event-model.ts';
import { createSourceModel } from './source-model.ts';
import { createStackModel } from './stack-model.ts';
import { createStageModel } from './stage-model.ts';

export interface Finished {
  last: LastPromotion;
  /** The state when the promotion began, with all that others did to it meanwhile. */
  before: State;
  after: State;
}

export type PromotionModel = ReturnType<typeof createPromotionModel>;

const NOW = '2026-01-02T03:04:05.000Z';

const TWO_RELEASES: State = {
  ...EMPTY_STATE,
  epoch: 2,
  active: 'blue',
  slots: { blue: { release: 'r2' }, green: { release: 'r1' } },
};

/** The controller, with its real state machine and its real inbox, over a modelled stack. */
export function createPromotionModel(start: 'empty' | 'two releases', workerCount: number) {
  let state = start === 'empty' ? EMPTY_STATE : TWO_RELEASES;
  let before = state;
  const stack = createStackModel(workerCount, state.slots);
  const source = createSourceModel(start === 'empty' ? [] : ['r1', 'r2']);
  const acknowledged = () => stack.assign(current);
  const stages = createStageModel(stack, { state: () => state, send, acknowledged, read, compile });
  let revision = 0;
  let current = assignment();

  const changes: { from: State; to: State }[] = [];
  const finished: Finished[] = [];

  let inbox: Inbox;
  let asked: Inbox | null = null;
  let order: Order | null = null;

  boot(null);

  function assignment(warm = warmSlots(state)) {
    return toAssignment(state, { revision: ++revision, warm });
  }

  function send(): void {
    current = assignment();
    stack.assign(current);
  }

  function read(): void {
    inbox.takeChanges();
    set(machine.named(state, source.read()));
  }

  function compile({ release }: Promotion): void {
    source.built.add(release as string);
  }

  /** Through JSON each time, since a controller may be killed after any change. */
  function set(to: State): void {
    const from = state;
    state = JSON.parse(JSON.stringify(to));
    changes.push({ from, to: state });
    const { last } = state;
    if (state.promotion || !last || from.promotion?.id !== last.id) return;
    finished.push({ last, before, after: state });
    source.finished(last, state);
  }

  function setStage(to: State): void {
    set(to);
    stages.begin();
  }

  /** What others do to the state while a promotion may be running. */
  function setAside(change: (state: State) => State): void {
    set(change(state));
    before = change(before);
  }

  function boot(again: Trigger | null): void {
    inbox = createInbox(() => state.paused, 0);
    send();
    if (again) inbox.order(buildOrder(again));
    inbox.lookForChanges('start');
  }

  function killController(restartedWorkers: number[]): void {
    const alone = assignment({ blue: false, green: false });
    for (const worker of restartedWorkers) stack.restartWorker(worker, alone);
    source.forgetEvents();
    const { kind, release = null } = state.promotion ?? {};
    const isUsable = source.isBuilt(release) && (kind !== 'build' || source.isIn(release));
    const recovery = machine.afterRestart(state, isUsable);
    setStage(recovery.state);
    boot(recovery.again);
  }

  /** As the conductor does it: whatever the inbox holds, for as long as no promotion runs. */
  async function takeOrders(): Promise<void> {
    while (!state.promotion) {
      if (asked !== inbox) void ask(inbox);
      await setImmediate();
      if (!order) return;
      const resolved = resolve(order);
      const { id, trigger } = order;
      order = asked = null;
      if (!resolved) continue;
      before = state;
      setStage(machine.begin(state, { ...resolved, id, trigger, startedAt: NOW }));
    }
  }

  async function ask(from: Inbox): Promise<void> {
    asked = from;
    const next = await from.next(async () => {
      const release = state.active && state.slots[state.active].release;
      return source.isIn(release) ? null : 'changed';
    });
    if (from === inbox) order = next;
  }

  function resolve(asOrdered: Order): ResolvedGoal | null {
    try {
      return resolveGoal(state, asOrdered, stack.isHealthy);
    } catch (error) {
      if (error instanceof SlotsError) return null;
      throw error;
    }
  }

  function rollBack(release: string | null): void {
    const asOrdered = rollbackOrder(release);
    if (!resolve(asOrdered)) return;
    inbox.order(asOrdered);
    const stage = state.promotion?.step;
    if (stage === 'drain') setStage(machine.endDrain(state, NOW));
    if (stage === 'build' || stage === 'start' || stage === 'check') fail('a rollback was ordered');
  }

  function fail(message: string): void {
    if (!state.promotion || state.promotion.step === 'put back') return;
    if (state.promotion.step === 'build' && !stages.hasBegun()) read();
    setStage(machine.afterFailure(state, { code: 'CHECK_FAILED', message }, 3, NOW));
  }

  function advance(): void {
    if (!state.promotion) return;
    if (stages.advance(state.promotion)) setStage(machine.afterSuccess(state, 7, NOW));
  }

  /** As the health monitor does it. */
  function move(change: (state: State) => State): void {
    setAside(change);
    send();
  }

  function activeDies(): void {
    const { active } = state;
    if (active === null || !hasStandby(state)) return;
    if (stack.processes[active].status !== 'warm') return;
    if (stack.processes[active === 'blue' ? 'green' : 'blue'].status !== 'warm') return;
    stack.die(active);
    move(machine.failOver);
  }

  function failBack(): void {
    const { failedOverFrom } = state;
    if (failedOverFrom === null || !hasStandby(state)) return;
    if (stack.processes[failedOverFrom].status === 'warm') move(machine.failBack);
  }

  const happen: { [Type in Event['type']]: (event: EventOf<Type>) => void } = {
    advance,
    fail: () => fail('a stage failed'),
    edit: source.edit,
    hear: () => source.hear(inbox),
    promote: () => inbox.order(buildOrder('promote')),
    rollback: () => rollBack(null),
    'roll back to': ({ nth }) => {
      const kept = [...source.built];
      if (kept.length > 0) rollBack(kept[nth % kept.length] as string);
    },
    pause: () => setAside((now) => ({ ...now, paused: true })),
    resume() {
      setAside((now) => ({ ...now, paused: false }));
      inbox.lookForChanges('resume');
    },
    'active dies': activeDies,
    'dead heals': () => {
      for (const slot of SLOTS) stack.heal(slot);
    },
    'fail back': failBack,
    'lose worker': ({ worker }) => stack.lose(worker),
    'reconnect worker': ({ worker }) => stack.reconnect(worker, current),
    request: ({ worker }) => stack.request(worker),
    'end request': ({ nth }) => stack.endRequest(nth),
    'kill controller': ({ restartedWorkers }) => killController(restartedWorkers),
  };

  async function apply(event: Event): Promise<void> {
    for (const list of [changes, finished, stages.touches]) list.length = 0;
    (happen[event.type] as (event: Event) => void)(event);
    await takeOrders();
  }

  return {
    stack,
    changes,
    finished,
    touches: stages.touches,
    built: source.built,
    /** Nothing runs, nothing waits, and yet the latest edit has gone nowhere. */
    isEditLost: () => !state.promotion && !state.paused && source.isOwed(),
    state: () => state,
    apply,
    /** Lets everything that waits run to its end, without a failure. */
    async settle(): Promise<void> {
      await apply({ type: 'hear' });
      for (const worker of stack.workers.keys()) await apply({ type: 'reconnect worker', worker });
      for (let left = 300; state.promotion || state.paused; left--) {
        if (left === 0) throw new Error(`stuck in ${state.promotion?.step}`);
        await apply({ type: state.promotion ? 'advance' : 'resume' });
      }
    },
  };
}
