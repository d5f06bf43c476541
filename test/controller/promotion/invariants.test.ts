import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sitePaths } from '../../../src/slots/paths.ts';
import { otherSlot, SLOTS } from '../../../src/slots/slot.ts';
import { readState } from '../../../src/slots/state.ts';
import { anyEvent, WORKERS } from '../../support/event-model.ts';
import { createPromotionModel, type PromotionModel } from '../../support/promotion-model.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const RUNS = 300;

/** Random events on a new site and on one with a standby; `check` looks after each of them. */
async function always(
  check: (model: PromotionModel) => void | Promise<void>,
  atTheEnd: (model: PromotionModel) => void | Promise<void> = () => {},
): Promise<void> {
  const start = fc.constantFrom(...(['empty', 'two releases', 'two releases'] as const));
  const events = fc.noBias(fc.array(anyEvent, { maxLength: 60, size: 'max' }));
  await fc.assert(
    fc.asyncProperty(start, events, async (from, sequence) => {
      const model = createPromotionModel(from, WORKERS);
      for (const each of sequence) {
        await model.apply(each);
        await check(model);
      }
      await atTheEnd(model);
    }),
    { numRuns: RUNS },
  );
}

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

test('invariant 2: the active slot is never given another release, stopped or reloaded', () =>
  always(({ changes, touches }) => {
    for (const { from, to } of changes) {
      if (to.active !== null) expect(to.slots[to.active]).toEqual(from.slots[to.active]);
    }
    for (const { slot, active } of touches) expect(slot).not.toBe(active);
  }));

test('invariant 3: the standby stays on the previous release until the candidate is built', () =>
  always(({ changes, touches, built }) => {
    for (const { from, to } of changes) {
      for (const slot of SLOTS) {
        const { release } = to.slots[slot];
        if (release === from.slots[slot].release) continue;
        const back = to.promotion?.step === 'put back' && release === to.promotion.previous;
        if (!back) expect(built).toContain(release);
      }
    }
    for (const { step } of touches) expect(step).toMatch(/start|reload|put back/);
  }));

test('invariant 4: a failed promotion changes nothing, and the standby is warm after it', () =>
  always(({ stack, finished }) => {
    for (const { last, before, after } of finished) {
      if (last.outcome !== 'failed') continue;
      const { epoch, ...unchanged } = { ...before, promotion: null, last };
      expect(after).toMatchObject(unchanged);
      if (last.stage === 'build' || after.active === null) continue;
      for (const { assignment } of stack.workers) expect(assignment.active).toBe(after.active);
      const standby = otherSlot(after.active);
      const { release } = after.slots[standby];
      const status = release === null ? 'stopped' : 'warm';
      expect(stack.processes[standby]).toMatchObject({ release, status });
    }
  }));

test('invariant 5: each state is read back from state.json as it was written', async () => {
  const root = await tempFolder();
  const paths = { ...sitePaths(root), state: join(root, 'state.json') };
  await always(async ({ changes }) => {
    for (const { to } of changes) {
      await writeFile(paths.state, JSON.stringify(to));
      expect(await readState(paths)).toEqual(to);
    }
  });
});

test('invariant 6: no slot is restarted or reloaded while a worker may still route to it', () =>
  always(({ touches }) => {
    for (const { mayRoute } of touches) expect(mayRoute).toBe(false);
  }));

// Invariant 7, a single controller, is in test/controller/control-server.test.ts.

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
