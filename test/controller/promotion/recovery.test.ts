import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { begin, named } from '../../../src/controller/promotion/machine.ts';
import {
  alignLinks,
  completeHistory,
  isReleaseUsable,
  recoverState,
} from '../../../src/controller/promotion/recovery.ts';
import { appendHistory, type HistoryEntry, readHistory } from '../../../src/slots/history.ts';
import { pointSlot, slotRelease } from '../../../src/slots/link.ts';
import type { SitePaths } from '../../../src/slots/paths.ts';
import { readSource } from '../../../src/slots/source.ts';
import { EMPTY_STATE, readState, type State, writeState } from '../../../src/slots/state.ts';
import { collectedLog } from '../../support/collected-log.ts';
import { at, EDIT, OLDER, succeed } from '../../support/state-model.ts';
import { putRelease, releaseIdOf, tempSite } from '../../support/temp-site.ts';

const ONE = releaseIdOf(1);
const TWO = releaseIdOf(2);

const LIVE: State = {
  ...EMPTY_STATE,
  epoch: 5,
  active: 'green',
  slots: { blue: { release: ONE }, green: { release: TWO } },
};

/** A site that served green, and whose state file holds this now. */
async function siteAfter(text: string): Promise<SitePaths> {
  const paths = await tempSite();
  await putRelease(paths, ONE);
  await putRelease(paths, TWO);
  await pointSlot(paths, 'blue', ONE);
  await pointSlot(paths, 'green', TWO);
  await writeFile(paths.state, text);
  return paths;
}

function finished(release: string, outcome: HistoryEntry['outcome']): HistoryEntry {
  return {
    id: release + outcome,
    release,
    outcome,
    stage: 'reload',
    error: outcome === 'failed' ? 'it did' : null,
    trigger: 'edit',
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:00:09.000Z',
    durationsMs: {},
  };
}

const recover = (paths: SitePaths) => recoverState(paths, collectedLog().log);

test('recoverState is the state on disk when that is good', async () => {
  const paths = await tempSite();
  await writeState(paths, LIVE);
  const { log, lines } = collectedLog();
  expect(await recoverState(paths, log)).toEqual(LIVE);
  expect(lines).toEqual([]);
});

test('recoverState is the empty state on a site that never ran', async () => {
  expect(await recover(await tempSite())).toEqual(EMPTY_STATE);
});

test('recoverState sets a bad file aside, says its new name, and keeps what slots and history tell', async () => {
  const paths = await siteAfter('{"epoch": 5, "acti');
  await appendHistory(paths, finished(ONE, 'promoted'));
  await appendHistory(paths, finished(TWO, 'promoted'));
  await appendHistory(paths, finished(ONE, 'failed'));
  const { log, events } = collectedLog();
  expect(await recoverState(paths, log)).toEqual({ ...LIVE, epoch: 0 });
  const aside = (await readdir(paths.slots)).find((name) => name.startsWith('state.json.bad-'));
  expect(await readFile(`${paths.slots}/${aside}`, 'utf8')).toBe('{"epoch": 5, "acti');
  expect(events('state.set-aside')).toEqual([
    expect.objectContaining({ level: 50, msg: expect.stringContaining(String(aside)) }),
  ]);
});

test('recoverState goes by the last rollback too', async () => {
  const paths = await siteAfter('');
  await appendHistory(paths, finished(TWO, 'promoted'));
  await appendHistory(paths, finished(ONE, 'rolled-back'));
  expect(await recover(paths)).toMatchObject({ active: 'blue' });
});

test('recoverState serves some release when the history tells nothing', async () => {
  expect((await recover(await siteAfter(''))).active).not.toBeNull();
});

test('recoverState passes over a slot whose release is gone or incomplete', async () => {
  const paths = await siteAfter('');
  await writeFile(`${paths.releases}/${ONE}/release.json`, '');
  expect(await recover(paths)).toMatchObject({
    active: 'green',
    slots: { blue: { release: null }, green: { release: TWO } },
  });
});

test('recoverState has nothing active when no slot has a release', async () => {
  const paths = await tempSite({ 'slots/state.json': 'x' });
  expect(await recover(paths)).toEqual(EMPTY_STATE);
});

test('recoverState sets aside even a folder in the place of the file', async () => {
  const paths = await tempSite({ 'slots/state.json/x': '' });
  expect(await recover(paths)).toEqual(EMPTY_STATE);
  expect(await readState(paths)).toEqual(EMPTY_STATE);
});

test('recoverState serves what it served, wherever the state file was cut', async () => {
  const whole = `${JSON.stringify(LIVE, null, 2)}\n`;
  const paths = await siteAfter(whole);
  await appendHistory(paths, finished(TWO, 'promoted'));
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: whole.length }), async (length) => {
      await writeFile(paths.state, whole.slice(0, length));
      const { active, slots } = await recover(paths);
      expect({ active, slots }).toEqual({ active: LIVE.active, slots: LIVE.slots });
    }),
    { numRuns: 50 },
  );
});

test('alignLinks moves the links to where the state says, and says so', async () => {
  const paths = await tempSite();
  await pointSlot(paths, 'blue', TWO);
  const { log, events } = collectedLog();
  await alignLinks(paths, LIVE, log);
  expect(await slotRelease(paths, 'blue')).toBe(ONE);
  expect(await slotRelease(paths, 'green')).toBe(TWO);
  expect(events('slot.realign')).toHaveLength(2);
});

test('alignLinks removes the link of a slot that should have none', async () => {
  const paths = await tempSite();
  await pointSlot(paths, 'blue', ONE);
  await alignLinks(paths, EMPTY_STATE, collectedLog().log);
  expect(await slotRelease(paths, 'blue')).toBeNull();
});

test('alignLinks does nothing, quietly, when all is right', async () => {
  const paths = await tempSite();
  await mkdir(paths.slots);
  await pointSlot(paths, 'blue', ONE);
  await pointSlot(paths, 'green', TWO);
  const { log, lines } = collectedLog();
  await alignLinks(paths, LIVE, log);
  expect(lines).toEqual([]);
});

const WATCH = { watch: ['src'], ignore: [], shared: [] };

async function interrupted(unsettled = false) {
  const paths = await tempSite({ 'src/page.txt': 'one' });
  const { hash } = await readSource(paths.root, WATCH);
  const { id } = await putRelease(paths, ONE, { sourceHash: hash, unsettled });
  const built = named(begin(LIVE, EDIT), id);
  return { paths, state: succeed(succeed(built)) };
}

test('isReleaseUsable is true for what was built of the files as they are', async () => {
  const { paths, state } = await interrupted();
  expect(await isReleaseUsable(paths, WATCH, state)).toBe(true);
});

test('isReleaseUsable is false once an edit has overtaken it', async () => {
  const { paths, state } = await interrupted();
  await writeFile(`${paths.root}/src/page.txt`, 'two');
  expect(await isReleaseUsable(paths, WATCH, state)).toBe(false);
});

test('isReleaseUsable is false when nobody knows what is in it, or it is not complete', async () => {
  const { paths, state } = await interrupted(true);
  expect(await isReleaseUsable(paths, WATCH, state)).toBe(false);
  expect(await isReleaseUsable(paths, WATCH, at('start'))).toBe(false);
  expect(await isReleaseUsable(paths, WATCH, LIVE)).toBe(false);
});

test('isReleaseUsable is true for a kept release that was rolled back to, whatever the files are', async () => {
  const { paths } = await interrupted();
  const state = begin(LIVE, { ...OLDER, kind: 'release', release: ONE });
  await writeFile(`${paths.root}/src/page.txt`, 'two');
  expect(await isReleaseUsable(paths, WATCH, state)).toBe(true);
});

test('completeHistory tells once of the promotion that ended as the controller was killed', async () => {
  const paths = await tempSite({ 'slots/.gitkeep': '' });
  await appendHistory(paths, finished(ONE, 'promoted'));
  const last = finished(TWO, 'promoted');
  for (let start = 0; start < 2; start++) {
    await completeHistory(paths, { ...LIVE, last }, collectedLog().log);
  }
  expect(await readHistory(paths)).toEqual([finished(ONE, 'promoted'), last]);
});
