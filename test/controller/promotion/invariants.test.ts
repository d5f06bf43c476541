import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { otherSlot, SLOTS } from '../../../src/slots/slot.ts';
import { stateSchema } from '../../../src/slots/state-schema.ts';
import { anyEvent, WORKERS } from '../../support/event-model.ts';
import { createPromotionModel, type PromotionModel } from '../../support/promotion-model.ts';

vi.mock('node:timers/promises', async (original) => {
  return {
    ...(await original<object>()),
    ...(await import('../../support/promotion-io.ts')).timers,
  };
});
vi.mock('../../../src/slots/link.ts', async (original) => {
  return { ...(await original<object>()), ...(await import('../../support/promotion-io.ts')).link };
});
vi.mock('../../../src/slots/release.ts', async (original) => {
  return {
    ...(await original<object>()),
    ...(await import('../../support/promotion-io.ts')).release,
  };
});
vi.mock('../../../src/slots/asked-ports.ts', async () => {
  return (await import('../../support/promotion-io.ts')).askedPorts;
});
vi.mock('../../../src/slots/crash-file.ts', async () => {
  return (await import('../../support/promotion-io.ts')).crashFile;
});
vi.mock('../../../src/slots/history.ts', async () => {
  return (await import('../../support/promotion-io.ts')).history;
});
vi.mock('../../../src/controller/promotion/move-writes.ts', () => ({ moveWrites: async () => [] }));
vi.mock('../../../src/slots/deps.ts', async (original) => {
  return { ...(await original<object>()), ...(await import('../../support/promotion-io.ts')).deps };
});
vi.mock('../../../src/controller/build/build.ts', async () => {
  return (await import('../../support/promotion-io.ts')).build;
});
vi.mock('../../../src/controller/health/probe.ts', async (original) => {
  return {
    ...(await original<object>()),
    ...(await import('../../support/promotion-io.ts')).probe,
  };
});

/** A red run prints its seed: give it back, with more runs if need be, to see it again. */
const RUNS = Number(process.env.INVARIANT_RUNS ?? 200);
const SEED = process.env.INVARIANT_SEED;
const CONSECUTIVE = 2;

/** Each came ten times or more in 400 runs: one that is missing tells of a model in which promotions are stuck. */
const MUST_BE_REACHED = [
  ...['build', 'start', 'check', 'flip', 'drain', 'reload', 'put back'].flatMap((step) => [
    `step ${step}`,
    `killed in ${step}`,
  ]),
  'killed in rest',
  ...['promoted', 'rolled-back', 'flipped back', 'put back failed', 'ended by a full disk'],
  ...['build', 'start', 'check', 'flip'].map((stage) => `failed in ${stage}`),
  'recovered: build again',
  ...['start to start', 'start to put back', 'check to start', 'flip to flip'].map(recovered),
  ...['drain to drain', 'reload to reload', 'put back to put back'].map(recovered),
];

function recovered(how: string): string {
  return `recovered: ${how}`;
}

/** Random events on a new site and on one with a standby; `check` looks after each of them. */
async function always(
  check: (model: PromotionModel) => void,
  atTheEnd: (model: PromotionModel) => void | Promise<void> = () => {},
  numRuns = RUNS,
): Promise<void> {
  const start = fc.constantFrom(...(['empty', 'two releases', 'two releases'] as const));
  const events = fc.noBias(fc.array(anyEvent, { maxLength: 300, size: 'max' }));
  const { now } = performance;
  try {
    await fc.assert(
      fc.asyncProperty(start, events, async (from, sequence) => {
        const model = createPromotionModel(from, WORKERS);
        performance.now = model.now;
        await model.boot();
        for (const each of sequence) {
          await model.apply(each);
          check(model);
        }
        await atTheEnd(model);
      }),
      { numRuns, ...(SEED !== undefined && { seed: Number(SEED) }) },
    );
  } finally {
    performance.now = now;
  }
}

test('the runs come to every step and outcome and are killed in every step, so that no invariant holds for want of a case', async () => {
  const seen = new Set<string>();
  await always(
    () => {},
    ({ reached }) => {
      for (const what of reached.keys()) seen.add(what);
    },
    2 * RUNS,
  );
  expect(MUST_BE_REACHED.filter((what) => !seen.has(what))).toEqual([]);
});

test('invariant 1: each request is answered, to its end, by the slot its worker routed to', () =>
  always(({ stack, changes }) => {
    for (const { from, to } of changes) {
      expect(to.epoch).toBe(to.active === from.active ? from.epoch : from.epoch + 1);
    }
    for (const { meant, slot, generation, elsewhere } of stack.requests()) {
      expect(slot).toBe(elsewhere ?? meant);
      expect(stack.processes[slot].generation).toBe(generation);
    }
    for (const { assignment } of stack.workers) {
      const { active, slots } = assignment;
      if (active === null || stack.processes[active].status === 'dead') continue;
      const { release } = slots[active];
      expect(stack.processes[active]).toMatchObject({ release, status: 'warm' });
    }
  }));

test('invariant 1: visitors come to no candidate that the check has not seen well', () =>
  always(({ stack, changes, answers }) => {
    for (const { from, to } of changes) {
      if (from.promotion?.step !== 'check' || to.promotion?.step !== 'flip') continue;
      const { slot } = to.promotion;
      expect(answers[slot].generation).toBe(stack.processes[slot].generation);
      expect(answers[slot].healthy).toBeGreaterThanOrEqual(CONSECUTIVE);
    }
    for (const { to } of changes) {
      if (to.promotion?.step !== 'flip' || to.promotion.kind === 'standby') continue;
      expect(to.promotion.durationsMs).toHaveProperty('check');
    }
  }));

// A fill takes up to two seconds, and random runs seldom let the candidate die in them.
test('invariant 1: a candidate that PM2 has replaced while it was filled is checked anew before its flip', async () => {
  const { now } = performance;
  onTestFinished(() => void Object.assign(performance, { now }));
  const model = createPromotionModel('empty', WORKERS);
  const { answers, stack, state } = model;
  performance.now = model.now;
  await model.boot();
  while (answers.blue.healthy < CONSECUTIVE) await model.apply({ type: 'advance' });
  await model.apply({ type: 'idle dies' });
  await model.apply({ type: 'dead heals' });
  expect(state().promotion?.step).toBe('check');
  while (state().promotion?.step === 'check') await model.apply({ type: 'advance' });
  expect(state().promotion?.step).toBe('flip');
  expect(answers.blue.generation).toBe(stack.processes.blue.generation);
  expect(answers.blue.healthy).toBeGreaterThanOrEqual(CONSECUTIVE);
});

test('invariant 2: the active slot is never given another release, stopped or reloaded', () =>
  always(({ changes, touches, state, links }) => {
    for (const { from, to } of changes) {
      if (to.active !== null) expect(to.slots[to.active]).toEqual(from.slots[to.active]);
    }
    for (const touch of touches) expect(touch).not.toMatchObject({ slot: touch.active });
    const { active, slots } = state();
    if (active !== null) expect(links[active]).toBe(slots[active].release);
  }));

// The events of this one come in this order too rarely for random runs to find it each time.
test('invariant 2: a rollback after a put-back that failed leaves the active slot on its own release', async () => {
  const { now } = performance;
  onTestFinished(() => void Object.assign(performance, { now }));
  const model = createPromotionModel('two releases', WORKERS);
  performance.now = model.now;
  const during = async (
    type: 'advance' | 'fail',
    goesOn: (step: string | undefined) => boolean,
  ) => {
    for (let left = 100; goesOn(model.state().promotion?.step); left--) {
      if (left === 0) throw new Error(`stuck in ${model.state().promotion?.step}`);
      await model.apply({ type });
      const { active, slots } = model.state();
      if (active !== null) expect(model.links[active]).toBe(slots[active].release);
    }
  };
  await model.boot();
  await model.apply({ type: 'edit' });
  await model.apply({ type: 'hear' });
  await during('advance', (step) => step !== 'start');
  // The next controller sets the link to the candidate, whose processes were never started.
  await model.apply({ type: 'kill controller', restartedWorkers: [] });
  await during('fail', (step) => step !== undefined);
  expect(model.reached.get('put back failed')).toBe(1);
  expect(model.links.green).not.toBe(model.state().slots.green.release);
  await model.apply({ type: 'rollback' });
  await during('advance', () => model.state().last?.trigger !== 'rollback');
  expect(model.state()).toMatchObject({ active: 'green', slots: { green: { release: 'r1' } } });
});

test('invariant 3: the standby stays on the previous release until the candidate is built', () =>
  always(({ changes, touches, built }) => {
    for (const { from, to } of changes) {
      for (const slot of SLOTS) {
        const { release } = to.slots[slot];
        if (release === from.slots[slot].release || release === null) continue;
        const back = to.promotion?.step === 'put back' && release === to.promotion.previous;
        if (!back) expect(built).toContain(release);
      }
    }
    for (const { step } of touches) expect(step).toMatch(/start|reload|put back/);
  }));

test('invariant 4: a failed promotion changes nothing, and the standby is warm after it', () =>
  always(({ stack, finished, links }) => {
    for (const { last, before, after } of finished) {
      if (last.outcome !== 'failed') continue;
      const isHalf = last.error?.includes('could not be put back');
      const { epoch, slots, ...unchanged } = { ...before, promotion: null, last };
      expect(after).toMatchObject(unchanged);
      if (after.active !== null) expect(after.slots[after.active]).toEqual(slots[after.active]);
      if (last.stage === 'build' || after.active === null || isHalf) continue;
      expect(after.slots).toEqual(slots);
      for (const { assignment } of stack.workers) expect(assignment.active).toBe(after.active);
      const standby = otherSlot(after.active);
      const { release } = after.slots[standby];
      const status = release === null ? 'stopped' : 'warm';
      expect(links[standby]).toBe(release);
      expect(stack.processes[standby]).toMatchObject({ release, status });
    }
  }));

test('invariant 4: what could not be put back because it is gone is no standby', () =>
  always(({ stack, finished }) => {
    for (const { last, after } of finished) {
      if (!last.error?.includes('could not be put back: there is no release')) continue;
      const candidate = after.active === null ? 'blue' : otherSlot(after.active);
      expect(after.slots[candidate].release).toBeNull();
      expect(stack.processes[candidate]).toMatchObject({ release: null, status: 'stopped' });
    }
  }));

test('invariant 5: state.json is a whole state of our version at every moment', () =>
  always(({ stateFile }) => {
    const json = JSON.parse(stateFile());
    expect(stateSchema.parse(json)).toEqual(json);
  }));

test('invariant 5: nothing is done by a state that state.json does not say yet', () =>
  always(({ touches, sentUnwritten, shownUnwritten }) => {
    for (const { what, isWritten } of touches)
      expect({ what, isWritten }).toEqual({ what, isWritten: true });
    expect([sentUnwritten, shownUnwritten]).toEqual([[], []]);
  }));

test('invariant 6: no slot is restarted or reloaded while a worker may still route to it', () =>
  always(({ touches }) => {
    for (const { mayRoute, what } of touches)
      expect({ what, mayRoute }).toEqual({ what, mayRoute: false });
  }));

// Invariant 7, a single controller, is in test/controller/site-lock.test.ts.

test('invariant 8: no edit is lost once the queue has run empty, and only a rollback pauses', () =>
  always(
    ({ isEditLost, finished }) => {
      expect(isEditLost()).toBe(false);
      for (const { last, before, after } of finished) {
        if (last.outcome === 'promoted') expect(after.paused).toBe(before.paused);
      }
    },
    async ({ settle, state, isEditLost }) => {
      await settle();
      expect(state()).toMatchObject({ promotion: null, paused: false });
      expect(isEditLost()).toBe(false);
    },
  ));
