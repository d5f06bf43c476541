import { type App, appName } from '../../src/config/ecosystem.ts';
import * as machine from '../../src/controller/promotion/machine.ts';
import { buildOrder, resolveGoal, rollbackOrder } from '../../src/controller/promotion/order.ts';
import { alignLinks, dropGone } from '../../src/controller/promotion/recovery.ts';
import { hasStandby, type Step } from '../../src/controller/promotion/roles.ts';
import { createRunner, type Runner } from '../../src/controller/promotion/run.ts';
import { createInbox, type Inbox } from '../../src/controller/source/inbox.ts';
import type { SourceQuestion } from '../../src/controller/source/source-question.ts';
import { createStore, type Store } from '../../src/controller/store.ts';
import { type Assigner, createAssigner } from '../../src/controller/workers/assign.ts';
import type { Workers } from '../../src/controller/workers/fleet.ts';
import { SlotsError } from '../../src/errors.ts';
import type { Instance, Pm2 } from '../../src/pm2.ts';
import { sitePaths } from '../../src/slots/paths.ts';
import { otherSlot, type PerSlot, SLOTS, type Slot } from '../../src/slots/slot.ts';
import {
  EMPTY_STATE,
  type LastPromotion,
  type Promotion,
  type State,
} from '../../src/slots/state.ts';
import { type Assignment, readAssignment } from '../../src/wire/assignment.ts';
import { collectedLog } from './collected-log.ts';
import type { Event, EventOf } from './event-model.ts';
import { useIo } from './promotion-io.ts';
import { createSourceModel } from './source-model.ts';
import { createStackModel } from './stack-model.ts';
import { createSteps } from './steps.ts';
import { testConfig } from './test-config.ts';

export interface Finished {
  last: LastPromotion;
  /** The state when the promotion began, with all that others did to it meanwhile. */
  before: State;
  after: State;
}

/** We gave a slot another release or new processes, or took them away. */
export interface Touch {
  what: 'link' | 'processes';
  step: Step | undefined;
  slot: Slot;
  active: Slot | null;
  mayRoute: boolean;
  /** Whether state.json said so by then: what is not written is forgotten when the controller is killed. */
  isWritten: boolean;
}

export type PromotionModel = ReturnType<typeof createPromotionModel>;

const ROOT = '/nowhere';
const PORTS: PerSlot<number> = { blue: 4322, green: 4323 };
const CONFIG = testConfig({
  keep: 2,
  instances: 1,
  drainTimeoutMs: 300,
  health: { consecutive: 2, deadlineMs: 400, intervalMs: 100 },
});

const TWO_RELEASES: State = {
  ...EMPTY_STATE,
  epoch: 2,
  active: 'blue',
  slots: { blue: { release: 'r2' }, green: { release: 'r1' } },
};

/**
 * The controller with its real runner, stages, machine, inbox and store, over a modelled PM2, workers, disk and
 * clock. Needs the modules at its edge to be replaced by `promotion-io.ts`.
 */
export function createPromotionModel(start: 'empty' | 'two releases', workerCount: number) {
  const initial = start === 'empty' ? EMPTY_STATE : TWO_RELEASES;
  const kept = start === 'empty' ? [] : ['r1', 'r2'];
  const stack = createStackModel(workerCount, initial.slots);
  const source = createSourceModel(kept);
  const steps = createSteps();
  const links: PerSlot<string | null> = {
    blue: initial.slots.blue.release,
    green: initial.slots.green.release,
  };
  const { log } = collectedLog();
  const paths = sitePaths(ROOT);

  const changes: { from: State; to: State }[] = [];
  const finished: Finished[] = [];
  const touches: Touch[] = [];
  /** How often the run came to a step, an outcome or a kill, so that a test can tell that it did. */
  const reached = new Map<string, number>();
  /** Assignments that were sent while state.json said something else. */
  const sentUnwritten: Assignment[] = [];
  /** States that the store showed to everybody before it began to write them. */
  const shownUnwritten: State[] = [];
  /** Healthy answers in a row of the processes that a slot has now, as the check has seen them. */
  const answers: PerSlot<{ generation: number; healthy: number }> = {
    blue: { generation: -1, healthy: 0 },
    green: { generation: -1, healthy: 0 },
  };

  let stateFile = JSON.stringify(initial);
  let diskIsFull = false;
  let crashed = false;
  let before = initial;
  let isBooted = false;

  let store: Store;
  let inbox: Inbox;
  let runner: Runner;
  let assigner: Assigner;
  let current: Assignment | null = null;

  useIo({
    steps,
    slotRelease: (slot) => links[slot],
    async pointSlot(slot, release) {
      if (isBooted) {
        await steps.wait(`point ${slot}`, () => ({ value: undefined }));
        const isRealigned =
          store.state.promotion === null && release === store.state.slots[slot].release;
        if (!isRealigned) touch('link', slot);
      }
      links[slot] = release;
    },
    releases: () => [...source.built].reverse(),
    deleteRelease: (id) => void source.built.delete(id),
    read: source.read,
    compile(id) {
      source.built.add(id);
      return { unsettled: !source.isIn(id) };
    },
    probe,
  });

  function probe(port: number) {
    const slot = SLOTS.find((each) => PORTS[each] === port) as Slot;
    const { status, release, generation } = stack.processes[slot];
    const seen = answers[slot];
    if (seen.generation !== generation) Object.assign(seen, { generation, healthy: 0 });
    if (status !== 'warm') {
      seen.healthy = 0;
      return new Error('connect ECONNREFUSED');
    }
    if (store.state.promotion?.step === 'check') seen.healthy++;
    return { status: 200, release, pid: pidOf(slot), location: null, setsCookie: false };
  }

  const pidOf = (slot: Slot) =>
    2 * stack.processes[slot].generation + (slot === 'blue' ? 1000 : 1001);

  function touch(what: Touch['what'], slot: Slot): void {
    const { active, promotion } = store.state;
    const mayRoute = stack.mayRoute(slot);
    touches.push({ what, step: promotion?.step, slot, active, mayRoute, isWritten: isWritten() });
  }

  const isWritten = () => stateFile === JSON.stringify(store.state);

  function count(what: string): void {
    reached.set(what, (reached.get(what) ?? 0) + 1);
  }

  /** Old processes end at once; new ones listen when PM2 says that it is done. */
  function renewed(app: string): Promise<void> {
    const slot = slotOf(app);
    touch('processes', slot);
    stack.restartSlot(slot, links[slot]);
    const { generation } = stack.processes[slot];
    return steps.wait(`restart ${slot}`, () => {
      const { status, release } = stack.processes[slot];
      const isOurs = stack.processes[slot].generation === generation;
      // What was deleted since has nothing to load, and ends.
      if (isOurs && status === 'starting' && source.isBuilt(release)) stack.listen(slot);
      return { value: undefined };
    });
  }

  const slotOf = (app: string) => SLOTS.find((slot) => appName(CONFIG, slot) === app) as Slot;

  const pm2 = {
    renew: (app: App) => renewed(app.name),
    stop(app: string) {
      touch('processes', slotOf(app));
      stack.restartSlot(slotOf(app), null);
      return steps.wait(`stop ${app}`, () => ({ value: undefined }));
    },
    instances: (app: string) =>
      steps.wait(`instances of ${app}`, () => {
        const slot = slotOf(app);
        const { status } = stack.processes[slot];
        const word = status === 'dead' ? 'errored' : status === 'stopped' ? 'stopped' : 'online';
        return { value: [{ pid: pidOf(slot), status: word, exitCode: 1 } as Instance] };
      }),
  } as unknown as Pm2;

  const areAllConnected = () => stack.workers.every(({ connected }) => connected);

  /** Sent at once, taken by the workers a step later. */
  const workers = {
    assign(assignment: Assignment) {
      if (!isWritten()) sentUnwritten.push(assignment);
      current = assignment;
      return steps.wait('assign', () =>
        current && stack.assign(current) ? { value: undefined } : undefined,
      );
    },
    inflight: (slot: Slot) => (areAllConnected() ? stack.inflight(slot) : null),
    nextReport: () => new Promise<void>(() => {}),
    cut: (slot: Slot) => stack.cut(slot),
    fillAhead: (slot: Slot) => steps.wait(`fill ${slot}`, () => ({ value: 3 })),
    onAhead: () => {},
  } as unknown as Workers;

  async function persist(to: State): Promise<void> {
    if (store.state === to) shownUnwritten.push(to);
    if (diskIsFull) throw new SlotsError('STATE_UNWRITABLE', 'no space is left');
    stateFile = JSON.stringify(to);
  }

  function noteChange(from: State, to: State): void {
    changes.push({ from, to });
    const { last } = to;
    const step = to.promotion?.step;
    if (step && step !== from.promotion?.step) count(`step ${step}`);
    if (step === 'put back' && from.promotion?.step === 'flip') count('flipped back');
    if (!from.promotion && to.promotion) before = from;
    if (to.promotion || !last || from.promotion?.id !== last.id) return;
    finished.push({ last, before, after: to });
    count(last.outcome === 'failed' ? `failed in ${last.stage}` : last.outcome);
    if (last.error?.includes('could not be put back')) count('put back failed');
    source.finished(last, to);
  }

  /** What others do to the state while a promotion may be running. */
  async function setAside(change: (state: State) => State): Promise<void> {
    if (diskIsFull) return;
    await store.update(change);
    before = change(before);
  }

  /** As main.ts does it. */
  async function boot(): Promise<void> {
    const found: State = JSON.parse(stateFile);
    const { promotion } = found;
    const release = promotion?.release ?? null;
    const isUsable =
      source.isBuilt(release) && (promotion?.kind !== 'build' || source.isIn(release));
    const { state, again } = machine.afterRestart(found, isUsable);
    const usable = await dropGone(paths, state, log);
    stateFile = JSON.stringify(usable);
    if (found.promotion) count(recoveryOf(found.promotion, usable));
    if (found.promotion && !usable.promotion && usable.last?.id === found.promotion.id) {
      noteChange(found, usable);
    }
    isBooted = false;
    await alignLinks(paths, usable, log);
    isBooted = true;

    store = createStore(usable, persist);
    let from = usable;
    store.onChange((to) => {
      noteChange(from, to);
      from = to;
    });
    inbox = createInbox(() => store.state.paused, 0);
    assigner = createAssigner(store, workers, () => true, log);
    const context = {
      config: { ...CONFIG, ports: { ...CONFIG.ports, ...PORTS } },
      paths,
      store,
      workers,
      pm2,
      log,
      inbox,
      source: question(inbox),
      buildLines: { push() {} },
      archive: { add() {}, tidy() {}, size: () => null },
    };
    runner = createRunner(context, assigner, isHealthy);
    crashed = false;
    assigner.assignSoon();
    if (again !== null) inbox.order(buildOrder(again));
    inbox.lookForChanges('start');
    runner.run().catch(() => {
      crashed = true;
    });
  }

  const isHealthy = (slot: Slot) =>
    stack.isHealthy(slot) && stack.processes[slot].release === store.state.slots[slot].release;

  /** Asks by the release's content alone. */
  function question(asker: Inbox): SourceQuestion {
    return {
      buildReason: async () => {
        const { active, failedOverFrom, slots } = store.state;
        const slot = failedOverFrom ?? active;
        return source.isIn(slot && slots[slot].release) ? null : 'changed';
      },
      begin: () => Promise.reject(new Error('no build of the model asks')),
      end: () => Promise.reject(new Error('no build of the model asks')),
      askAgain: () => asker.lookForChanges('edit'),
      promotionSucceeded() {},
      builtAs() {},
      leftOut() {},
      changedSince: async () => null,
      filesOf: () => null,
      read: () => Promise.reject(new Error('no build of the model asks')),
      note: () => null,
      problem: () => null,
    };
  }

  async function killController(restartedWorkers: number[]): Promise<void> {
    count(`killed in ${store.state.promotion?.step ?? 'rest'}`);
    const alone = readAssignment(JSON.parse(stateFile));
    for (const worker of restartedWorkers) stack.restartWorker(worker, alone);
    source.forgetEvents();
    steps.forget();
    await boot();
  }

  function rollBack(release: string | null): void {
    const order = rollbackOrder(release);
    try {
      resolveGoal(store.state, order, isHealthy);
    } catch (error) {
      if (error instanceof SlotsError) return;
      throw error;
    }
    inbox.order(order);
    runner.interrupt('a rollback was ordered');
  }

  /** As the health monitor does it. */
  async function move(change: (state: State) => State): Promise<void> {
    await setAside((state) => (hasStandby(state) ? change(state) : state));
    assigner.assignSoon();
  }

  async function activeDies(): Promise<void> {
    const { active } = store.state;
    if (active === null || !hasStandby(store.state)) return;
    if (!isHealthy(active) || !isHealthy(otherSlot(active))) return;
    stack.die(active);
    await move(machine.failOver);
  }

  async function failBack(): Promise<void> {
    const { failedOverFrom } = store.state;
    if (failedOverFrom === null || !hasStandby(store.state)) return;
    if (isHealthy(failedOverFrom)) await move(machine.failBack);
  }

  /** Links may be set right after a promotion, before the next order is taken. */
  const isBusy = () => store.state.promotion !== null || steps.isWaitingFor('point');

  const idle = () => (store.state.active === null ? 'blue' : otherSlot(store.state.active));

  const happen: { [Type in Event['type']]: (event: EventOf<Type>) => void | Promise<void> } = {
    advance: steps.advance,
    fail: () => void steps.fail(new SlotsError('START_TIMEOUT', 'a stage failed')),
    edit: source.edit,
    hear: () => source.hear(inbox),
    promote: () => inbox.order(buildOrder('promote')),
    rollback: () => rollBack(null),
    'roll back to': ({ nth }) => {
      const ids = [...source.built];
      if (ids.length > 0) rollBack(ids[nth % ids.length] as string);
    },
    pause: () => setAside((now) => machine.setPaused(now, true)),
    async resume() {
      await setAside((now) => machine.setPaused(now, false));
      inbox.lookForChanges('resume');
    },
    'active dies': activeDies,
    'idle dies': () => {
      if (stack.processes[idle()].status === 'warm') stack.die(idle());
    },
    'dead heals': () => {
      for (const slot of SLOTS) stack.heal(slot);
    },
    'fail back': failBack,
    'standby is deleted': () => {
      const { active, slots } = store.state;
      const release = slots[idle()].release;
      if (active !== null && release !== slots[active].release) source.built.delete(release ?? '');
    },
    'disk is full': () => {
      diskIsFull = true;
    },
    'lose worker': ({ worker }) => stack.lose(worker),
    'reconnect worker': ({ worker }) => {
      if (current) stack.reconnect(worker, current);
    },
    request: ({ worker }) => stack.request(worker),
    'end request': ({ nth }) => stack.endRequest(nth),
    'kill controller': ({ restartedWorkers }) => killController(restartedWorkers),
  };

  async function apply(event: Event): Promise<void> {
    for (const list of [changes, finished, touches, sentUnwritten, shownUnwritten]) list.length = 0;
    await (happen[event.type] as (event: Event) => void | Promise<void>)(event);
    await settled();
    if (!crashed) return;
    // PM2 starts it again, and by then there is space.
    count('ended by a full disk');
    diskIsFull = false;
    await killController([]);
    await settled();
  }

  return {
    stack,
    changes,
    finished,
    touches,
    reached,
    sentUnwritten,
    shownUnwritten,
    built: source.built,
    links,
    answers,
    now: steps.now,
    stateFile: () => stateFile,
    /** Nothing runs, nothing waits, and yet the latest edit has gone nowhere. */
    isEditLost: () => !isBusy() && !store.state.paused && source.isOwed(),
    state: () => store.state,
    async boot(): Promise<void> {
      await boot();
      await settled();
    },
    apply,
    /** Lets everything that waits run to its end, without a failure. */
    async settle(): Promise<void> {
      diskIsFull = false;
      await apply({ type: 'hear' });
      for (const worker of stack.workers.keys()) await apply({ type: 'reconnect worker', worker });
      for (let left = 500; isBusy() || store.state.paused; left--) {
        if (left === 0) throw new Error(`stuck in ${store.state.promotion?.step}`);
        await apply({ type: isBusy() ? 'advance' : 'resume' });
      }
    },
  };
}

/** How a controller that has just started goes on with the promotion that it found. */
function recoveryOf(found: Promotion, { promotion }: State): string {
  if (!promotion) return 'recovered: build again';
  return `recovered: ${found.step} to ${promotion.step}`;
}

/** Until the controller waits for nothing but what the test leads. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
