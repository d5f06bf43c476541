import { mkdir, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { afterRestart } from '../../src/controller/promotion/machine.ts';
import { recoverState } from '../../src/controller/promotion/recovery.ts';
import { readState, STAGES } from '../../src/slots/state.ts';
import { collectedLog } from '../support/collected-log.ts';
import { at, BUILT, EDIT, fail, finished, NOW, SITE, succeed } from '../support/state-model.ts';
import { tempSite } from '../support/temp-site.ts';

/** As the code before version 2 wrote it, in the words that it used. */
const SITE_1 = { ...SITE, version: 1 };

const PROMOTION_1 = {
  id: 'p1',
  kind: 'build',
  trigger: 'edit',
  release: BUILT,
  startedAt: NOW,
  durationsMs: {},
  slot: 'green',
  previousRelease: 'r1',
  failure: null,
};

const STARTED = { blue: { release: 'r2' }, green: { release: BUILT } };

/** Per stage: what version 1 had in state.json while it ran. */
const FILES = {
  build: { ...SITE_1, promotion: { ...PROMOTION_1, slot: null, previousRelease: null } },
  start: { ...SITE_1, slots: STARTED, promotion: PROMOTION_1 },
  check: { ...SITE_1, slots: STARTED, promotion: PROMOTION_1 },
  flip: { ...SITE_1, slots: STARTED, epoch: 3, active: 'green', promotion: PROMOTION_1 },
  drain: { ...SITE_1, slots: STARTED, epoch: 3, active: 'green', promotion: PROMOTION_1 },
  reload: { ...SITE_1, slots: STARTED, epoch: 3, active: 'green', promotion: PROMOTION_1 },
} as const;

const INDEX = Object.fromEntries(STAGES.map((stage, index) => [stage, index]));

async function readVersion1(state: object) {
  const paths = await tempSite();
  await mkdir(paths.slots);
  await writeFile(paths.state, JSON.stringify(state));
  return { paths, read: () => readState(paths) };
}

function fileOf(stage: keyof typeof FILES) {
  const done = STAGES.slice(0, INDEX[stage]).map((each) => [each, 12]);
  const { promotion, ...state } = FILES[stage];
  return { ...state, promotion: { ...promotion, stage, durationsMs: Object.fromEntries(done) } };
}

test.each(STAGES)(
  'a state of version 1 in the middle of %s is read as the same stage of version 2',
  async (stage) => {
    const expected = stage === 'build' ? { ...at('build').promotion, release: BUILT } : undefined;
    const { read } = await readVersion1(fileOf(stage));
    const { promotion, ...state } = at(stage);
    expect(await read()).toEqual({ ...state, promotion: expected ?? promotion });
  },
);

test.each(STAGES)(
  'a state of version 1 in the middle of %s is carried on to a release that is live',
  async (stage) => {
    const { read } = await readVersion1(fileOf(stage));
    const { state, again } = afterRestart(await read(), true);
    expect(again).toBeNull();
    expect(finished(state)).toMatchObject({
      active: 'green',
      slots: STARTED,
      promotion: null,
      last: { id: 'p1', release: BUILT, outcome: 'promoted', trigger: EDIT.trigger },
    });
  },
);

test.each(['start', 'check', 'flip'] as const)(
  'a state of version 1 that was putting back what %s had failed of goes on putting it back',
  async (stage) => {
    const file = fileOf(stage);
    const { read } = await readVersion1({
      ...file,
      slots: SITE.slots,
      active: 'blue',
      epoch: stage === 'flip' ? 4 : 2,
      promotion: {
        ...file.promotion,
        durationsMs: { ...file.promotion.durationsMs, [stage]: 12 },
        failure: { stage, message: 'it broke' },
      },
    });
    const state = await read();
    expect(state).toEqual(fail(at(stage)));
    const { last, ...after } = succeed(afterRestart(state, true).state);
    expect(after).toMatchObject({ active: 'blue', slots: SITE.slots, promotion: null });
    expect(last).toMatchObject({ outcome: 'failed', stage, error: 'it broke' });
  },
);

test('a state of version 1: before its build has a name is built again', async () => {
  const { promotion, ...state } = fileOf('build');
  const { read } = await readVersion1({ ...state, promotion: { ...promotion, release: null } });
  expect(afterRestart(await read(), false)).toEqual({ state: SITE, again: 'edit' });
});

test('a state of version 1: at rest, with its last promotion, is the same state', async () => {
  const ended = finished(at('start'));
  const { read } = await readVersion1({ ...ended, version: 1 });
  expect(await read()).toEqual(ended);
});

test('a state of version 1 whose stage lacks its slot is no state', async () => {
  const { read } = await readVersion1({
    ...SITE_1,
    promotion: { ...PROMOTION_1, stage: 'check', slot: null },
  });
  await expect(read()).rejects.toMatchObject({ code: 'STATE_BAD' });
});

test('a state of a newer version is set aside, and both versions are said', async () => {
  const { paths } = await readVersion1({ ...SITE, version: 3 });
  const { log, events } = collectedLog();
  expect(await recoverState(paths, log)).toMatchObject({ version: 2, active: null });
  expect(events('state.set-aside')).toEqual([
    expect.objectContaining({
      aside: expect.stringContaining('state.json.bad-'),
      msg: expect.stringMatching(
        /is of version 3, .* up to version 2; it is now .*state\.json\.bad-/,
      ),
    }),
  ]);
});
