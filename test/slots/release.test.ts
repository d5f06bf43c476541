import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appendHistory } from '../../src/slots/history.ts';
import { releaseDir } from '../../src/slots/paths.ts';
import {
  createPartial,
  currentCommit,
  deletePartial,
  deleteRelease,
  freeReleaseId,
  listPartials,
  listReleases,
  readRelease,
  releaseId,
  releasesToPrune,
} from '../../src/slots/release.ts';
import { RELEASE_ID } from '../../src/slots/release-id.ts';
import { EMPTY_STATE, writeState } from '../../src/slots/state.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { putRelease, releaseIdOf, tempSite } from '../support/temp-site.ts';

const HASH = 'abcdef0123456789'.repeat(4);

test('release ids carry the time in UTC and the start of the source hash', () => {
  const id = releaseId(new Date('2026-01-31T23:59:58.999+00:00'), HASH);
  expect(id).toBe('r20260131T235958-abcdef');
});

test('release ids are well formed and sort by their time', () => {
  const date = fc.date({
    min: new Date('2000-01-01'),
    max: new Date('2100-01-01'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(date, date, (one, two) => {
      const ids = [releaseId(one, HASH), releaseId(two, HASH)] as const;
      for (const id of ids) expect(id).toMatch(RELEASE_ID);
      const seconds = (at: Date) => Math.floor(at.getTime() / 1000);
      expect(Math.sign(seconds(one) - seconds(two))).toBe(
        ids[0] === ids[1] ? 0 : ids[0] < ids[1] ? -1 : 1,
      );
    }),
  );
});

test('release ids are never given twice, neither to a release nor beside a partial', async () => {
  const paths = await tempSite();
  const now = new Date('2026-01-31T23:59:58Z');
  const first = await freeReleaseId(paths, HASH, now);
  expect(first).toBe('r20260131T235958-abcdef');
  await putRelease(paths, first);
  const second = await freeReleaseId(paths, HASH, now);
  expect(second).toBe('r20260131T235959-abcdef');
  await createPartial(paths, second);
  expect(await freeReleaseId(paths, HASH, now)).toBe('r20260201T000000-abcdef');
  expect(await freeReleaseId(paths, `123456${HASH}`, now)).toBe('r20260201T000000-123456');
});

test('a release that was deleted while it serves keeps its id to itself', async () => {
  const paths = await tempSite();
  const now = new Date('2026-01-31T23:59:58Z');
  const first = await freeReleaseId(paths, HASH, now);
  const last = {
    id: 'one',
    trigger: 'edit',
    outcome: 'failed',
    stage: 'start',
    error: 'x',
  } as const;
  const time = now.toISOString();
  const at = { startedAt: time, finishedAt: time, durationsMs: {} };
  await writeState(paths, {
    ...EMPTY_STATE,
    active: 'blue',
    slots: { blue: { release: first }, green: { release: null } },
  });
  const second = await freeReleaseId(paths, HASH, now);
  expect(second).toBe('r20260131T235959-abcdef');
  await appendHistory(paths, { ...last, ...at, release: second });
  expect(await freeReleaseId(paths, HASH, now)).toBe('r20260201T000000-abcdef');
});

test('an id is later than those before it, though the clock was set back or it is not', async () => {
  const paths = await tempSite();
  await putRelease(paths, await freeReleaseId(paths, HASH, new Date('2030-01-01T00:00:00Z')));
  const back = await freeReleaseId(paths, `000000${HASH}`, new Date('2020-01-01T00:00:00Z'));
  expect(back).toBe('r20300101T000001-000000');
  const on = await freeReleaseId(paths, HASH, new Date('2030-05-01T12:00:00Z'));
  expect(on).toBe('r20300501T120000-abcdef');
});

test('a release on disk can be read once it is complete, and its partial is gone', async () => {
  const paths = await tempSite();
  const release = await putRelease(paths, releaseIdOf(1), { changed: ['src/a.md'] });
  expect(await readRelease(paths, release.id)).toEqual(release);
  expect(await readdir(paths.releases)).toEqual([release.id]);
  expect(await readFile(join(releaseDir(paths, release.id), 'dist/server.mjs'), 'utf8')).toBe(
    release.id,
  );
});

test('a release on disk is unknown while it is a partial', async () => {
  const paths = await tempSite();
  await createPartial(paths, releaseIdOf(1));
  await expect(readRelease(paths, releaseIdOf(1))).rejects.toMatchObject({
    code: 'RELEASE_UNKNOWN',
    message: expect.stringContaining(releaseIdOf(1)),
  });
  expect(await listPartials(paths)).toEqual([releaseIdOf(1)]);
  await deletePartial(paths, releaseIdOf(1));
  expect(await listPartials(paths)).toEqual([]);
});

test.each(['', '../../../etc', 'latest', `${releaseIdOf(1)}/..`, `${releaseIdOf(1)}.partial`])(
  'a release on disk is never looked for under what is no id: %j',
  async (id) => {
    const paths = await tempSite();
    await putRelease(paths, releaseIdOf(1));
    await expect(readRelease(paths, id)).rejects.toMatchObject({
      code: 'RELEASE_UNKNOWN',
      message: `"${id}" is not a release id`,
    });
  },
);

test('a release on disk is listed newest first; partials, strangers and damaged ones are not', async () => {
  const paths = await tempSite();
  for (const number of [2, 10, 1]) await putRelease(paths, releaseIdOf(number));
  await createPartial(paths, releaseIdOf(20));
  await mkdir(join(paths.releases, 'notes'));
  await mkdir(releaseDir(paths, releaseIdOf(30)));
  await putRelease(paths, releaseIdOf(40));
  await writeFile(join(releaseDir(paths, releaseIdOf(40)), 'release.json'), '{"id":');
  const ids = (await listReleases(paths)).map(({ id }) => id);
  expect(ids).toEqual([10, 2, 1].map(releaseIdOf));
});

test('a release on disk is gone after it was deleted, also twice', async () => {
  const paths = await tempSite();
  await putRelease(paths, releaseIdOf(1));
  await deleteRelease(paths, releaseIdOf(1));
  await deleteRelease(paths, releaseIdOf(1));
  expect(await listReleases(paths)).toEqual([]);
});

test('nothing is listed where there are no releases yet', async () => {
  const paths = await tempSite();
  expect(await listReleases(paths)).toEqual([]);
  expect(await listPartials(paths)).toEqual([]);
});

const ids = fc
  .uniqueArray(fc.nat({ max: 999_999 }), { maxLength: 20 })
  .map((numbers) => numbers.map(releaseIdOf));

test('releasesToPrune never names one in use nor one of the newest, and names every other', () => {
  fc.assert(
    fc.property(ids, fc.nat({ max: 8 }), fc.func(fc.boolean()), (all, keep, isUsed) => {
      const inUse = new Set(all.filter((id) => isUsed(id)));
      const pruned = new Set(releasesToPrune(all, inUse, keep));
      const newest = new Set([...all].sort().reverse().slice(0, keep));
      for (const id of all) {
        expect(pruned.has(id)).toBe(!inUse.has(id) && !newest.has(id));
      }
    }),
  );
});

const git = (cwd: string, ...args: string[]) =>
  promisify(execFile)('git', ['-c', 'user.name=T', '-c', 'user.email=t@t', ...args], { cwd });

test('currentCommit is the checked-out commit', async () => {
  const root = await tempFolder();
  await git(root, 'init', '-q');
  await git(root, 'commit', '-q', '--allow-empty', '-m', 'One');
  const { stdout } = await git(root, 'rev-parse', 'HEAD');
  expect(await currentCommit(root)).toBe(stdout.trim());
});

test('currentCommit is null outside git and before the first commit', async () => {
  const root = await tempFolder();
  expect(await currentCommit(root)).toBeNull();
  await git(root, 'init', '-q');
  expect(await currentCommit(root)).toBeNull();
});
