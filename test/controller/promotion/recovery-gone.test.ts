import { lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { clearOrphans } from '../../../src/controller/build/orphans.ts';
import {
  alignLinks,
  dropGone,
  recoverHistory,
  recoverState,
} from '../../../src/controller/promotion/recovery.ts';
import { readHistory } from '../../../src/slots/history.ts';
import { pointSlot, slotRelease } from '../../../src/slots/link.ts';
import { releaseDir, type SitePaths } from '../../../src/slots/paths.ts';
import { EMPTY_STATE, readState, type State, writeState } from '../../../src/slots/state.ts';
import { collectedLog } from '../../support/collected-log.ts';
import { putRelease, releaseIdOf, tempSite } from '../../support/temp-site.ts';

const ONE = releaseIdOf(1);
const TWO = releaseIdOf(2);
const LIVE: State = {
  ...EMPTY_STATE,
  active: 'green',
  slots: { blue: { release: ONE }, green: { release: TWO } },
};

async function siteWithBoth(): Promise<SitePaths> {
  const paths = await tempSite();
  for (const id of [ONE, TWO]) await putRelease(paths, id);
  await pointSlot(paths, 'blue', ONE);
  await pointSlot(paths, 'green', TWO);
  return paths;
}

const entry = (release: string, outcome: string) =>
  `${JSON.stringify({ id: release + outcome, release, outcome })}\n`;

test('a lost state without a history takes the newer release for the active one', async () => {
  const paths = await siteWithBoth();
  await writeFile(paths.state, 'garbage');
  expect((await recoverState(paths, collectedLog().log)).active).toBe('green');
});

test.each([
  ['rolled-back', true],
  ['promoted', false],
])('a lost state is paused or not as the last promotion, %s, left it', async (outcome, paused) => {
  const paths = await siteWithBoth();
  await writeFile(paths.state, 'garbage');
  await writeFile(paths.history, entry(ONE, outcome));
  expect(await recoverState(paths, collectedLog().log)).toMatchObject({ active: 'blue', paused });
});

test.each(['../../etc', '/etc', 'r1/../../x', '..'])(
  'a lost state is what a state is whose release is a path: %s',
  async (release) => {
    const paths = await siteWithBoth();
    await writeFile(
      paths.state,
      JSON.stringify({ ...LIVE, slots: { ...LIVE.slots, blue: { release } } }),
    );
    await expect(readState(paths)).rejects.toMatchObject({ code: 'STATE_BAD' });
  },
);

test('a state that cannot be written is told in one line, with what to do', async () => {
  const paths = await tempSite({ slots: 'a file where the folder should be' });
  await expect(writeState(paths, EMPTY_STATE)).rejects.toMatchObject({
    code: 'STATE_UNWRITABLE',
    message: expect.stringMatching(/^cannot write state\.json: E.*$/),
    hint: expect.stringContaining('writable'),
  });
});

test('recoverHistory sets a history with garbage in it aside, and goes on with its entries', async () => {
  const paths = await siteWithBoth();
  const text = `${entry(ONE, 'promoted')}gar\0bage\n${entry(TWO, 'promoted')}{"id":"cut`;
  await writeFile(paths.history, text);
  const { log, events } = collectedLog();
  await recoverHistory(paths, log);
  expect((await readHistory(paths)).map(({ release }) => release)).toEqual([ONE, TWO]);
  const [{ aside, msg }] = events('history.set-aside') as [{ aside: string; msg: string }];
  expect(msg).toContain(aside);
  expect(await readFile(aside, 'utf8')).toBe(text);
});

test('recoverHistory sets a folder in its place aside', async () => {
  const paths = await tempSite({ 'slots/history.jsonl/file': '' });
  await expect(readHistory(paths)).rejects.toMatchObject({ code: 'HISTORY_UNREADABLE' });
  await recoverHistory(paths, collectedLog().log);
  expect(await readHistory(paths)).toEqual([]);
});

test('recoverHistory leaves a good one, an empty one and none as they are', async () => {
  const paths = await siteWithBoth();
  const { log, lines } = collectedLog();
  await recoverHistory(paths, log);
  for (const text of ['', entry(ONE, 'promoted')]) {
    await writeFile(paths.history, text);
    await recoverHistory(paths, log);
    expect(await readFile(paths.history, 'utf8')).toBe(text);
  }
  expect(lines).toEqual([]);
});

test('a release that is gone makes its standby none, and says so', async () => {
  const paths = await siteWithBoth();
  await rm(releaseDir(paths, ONE), { recursive: true });
  const { log, events } = collectedLog();
  const state = await dropGone(paths, LIVE, log);
  expect(state).toEqual({ ...LIVE, slots: { ...LIVE.slots, blue: { release: null } } });
  expect(events('release.gone')).toMatchObject([{ slot: 'blue', release: ONE }]);
});

test('a release that is gone leaves the active slot as it is, and says so', async () => {
  const paths = await siteWithBoth();
  await rm(releaseDir(paths, TWO), { recursive: true });
  const { log, events } = collectedLog();
  expect(await dropGone(paths, LIVE, log)).toEqual(LIVE);
  expect(events('release.gone')).toMatchObject([{ slot: 'green', release: TWO }]);
});

test.each([
  ['dangling', 'releases/r20990101T000000-abcdef'],
  ['pointing outside', '/etc'],
  ['pointing above', '../..'],
])('a slot whose link is %s is pointed where the state says', async (_name, target) => {
  const paths = await siteWithBoth();
  await rm(join(paths.slots, 'blue'));
  await symlink(target, join(paths.slots, 'blue'));
  await alignLinks(paths, LIVE, collectedLog().log);
  expect(await slotRelease(paths, 'blue')).toBe(ONE);
});

test('a folder in the place of a slot stays whole under another name', async () => {
  const paths = await siteWithBoth();
  await rm(join(paths.slots, 'blue'));
  await mkdir(join(paths.slots, 'blue/precious'), { recursive: true });
  const { log, events } = collectedLog();
  await alignLinks(paths, LIVE, log);
  expect(await slotRelease(paths, 'blue')).toBe(ONE);
  const [{ aside }] = events('slot.set-aside') as [{ aside: string }];
  expect((await lstat(join(aside, 'precious'))).isDirectory()).toBe(true);
});

test('what a killed controller had half written is removed at the next start, and nothing else', async () => {
  const paths = await siteWithBoth();
  await writeState(paths, LIVE);
  const keep = (await readdir(paths.slots)).sort();
  await symlink('releases/x', join(paths.slots, '.blue-0e1f7d3c-8a52-4f5e-9a43-1f0f4a9d2b11'));
  await writeFile(`${paths.state}.1234567`, '{');
  const mine = ['.blue-notes', 'state.json.bad-2026', 'state.json.1.txt'];
  for (const name of mine) await writeFile(join(paths.slots, name), '');
  await clearOrphans(paths, collectedLog().log);
  expect((await readdir(paths.slots)).sort()).toEqual([...keep, ...mine].sort());
});
