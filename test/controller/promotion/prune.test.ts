import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { prune } from '../../../src/controller/promotion/prune.ts';
import { releaseDir, type SitePaths, writesFile } from '../../../src/slots/paths.ts';
import { listReleases } from '../../../src/slots/release.ts';
import { EMPTY_STATE, type State } from '../../../src/slots/state.ts';
import { collectedLog } from '../../support/collected-log.ts';
import { putRelease, releaseIdOf, tempSite } from '../../support/temp-site.ts';
import { testConfig } from '../../support/test-config.ts';

const OLD = releaseIdOf(1);
const LIVE: State = {
  ...EMPTY_STATE,
  active: 'green',
  slots: { blue: { release: releaseIdOf(3) }, green: { release: releaseIdOf(2) } },
};

/** A site with one release too many. */
async function siteWithOldRelease(): Promise<SitePaths> {
  const paths = await tempSite();
  for (const number of [1, 2, 3]) await putRelease(paths, releaseIdOf(number));
  return paths;
}

/** The site's process writes into the old release, and that is recorded as it is by the process itself. */
async function written(
  paths: SitePaths,
  files: Record<string, string>,
  recorded = Object.keys(files),
) {
  for (const [path, text] of Object.entries(files)) {
    const file = join(releaseDir(paths, OLD), 'dist', path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  const lines = recorded.map((path) => JSON.stringify({ in: 'release', path }));
  await writeFile(writesFile(paths, OLD), `${lines.join('\n')}\n`);
}

async function pruned(paths: SitePaths) {
  const { log, lines } = collectedLog();
  await prune(testConfig({ keep: 2 }), paths, LIVE, log);
  const left = (await listReleases(paths)).map(({ id }) => id);
  return { isLeft: left.includes(OLD), events: lines };
}

const moved = (paths: SitePaths, path: string) =>
  readFile(join(paths.slots, 'written', OLD, path), 'utf8');

test('what a site wrote into its release outlives that release, and is said', async () => {
  const paths = await siteWithOldRelease();
  await written(paths, { 'public/uploads/cat.txt': 'meow', 'data.db': 'rows' });
  const { isLeft, events } = await pruned(paths);
  expect(isLeft).toBe(false);
  expect(await moved(paths, 'public/uploads/cat.txt')).toBe('meow');
  expect(await moved(paths, 'data.db')).toBe('rows');
  expect(events).toContainEqual(
    expect.objectContaining({
      event: 'release.writes-moved',
      release: OLD,
      files: ['data.db', 'public/uploads/cat.txt'],
    }),
  );
});

test('a folder that a site moved into its release is moved with all that is in it', async () => {
  const paths = await siteWithOldRelease();
  await written(paths, { 'up/a/1.txt': 'one', 'up/b.txt': 'two' }, ['up', 'up/b.txt']);
  await pruned(paths);
  expect(await moved(paths, 'up/a/1.txt')).toBe('one');
  expect(await moved(paths, 'up/b.txt')).toBe('two');
});

test('what SQLite has not written into its database yet is moved with the database', async () => {
  const paths = await siteWithOldRelease();
  await written(paths, { 'data.db': 'rows', 'data.db-wal': 'new rows', 'data.db-shm': '' }, [
    'data.db',
  ]);
  await pruned(paths);
  expect(await moved(paths, 'data.db-wal')).toBe('new rows');
  expect(await moved(paths, 'data.db-shm')).toBe('');
});

test('what a framework can make again is deleted with its release', async () => {
  const paths = await siteWithOldRelease();
  await written(paths, { '.next/cache/page.html': 'again' });
  expect((await pruned(paths)).isLeft).toBe(false);
  await expect(moved(paths, '.next/cache/page.html')).rejects.toThrow('ENOENT');
});

test('a shared folder stays where the site has it, and nothing outside of a release is moved', async () => {
  const paths = await siteWithOldRelease();
  await mkdir(join(paths.root, 'data'));
  await writeFile(join(paths.root, 'data', 'rows.db'), 'rows');
  await mkdir(join(releaseDir(paths, OLD), 'dist'), { recursive: true });
  await symlink(join(paths.root, 'data'), join(releaseDir(paths, OLD), 'dist', 'data'));
  await written(paths, {}, ['data', 'data/rows.db', '../../../../data/rows.db']);
  expect((await pruned(paths)).isLeft).toBe(false);
  expect(await readFile(join(paths.root, 'data', 'rows.db'), 'utf8')).toBe('rows');
});

test('a release whose written files cannot be moved away is kept, and that is said', async () => {
  const paths = await siteWithOldRelease();
  await written(paths, { 'data.db': 'rows' });
  await writeFile(join(paths.slots, 'written'), 'in the way');
  const { isLeft, events } = await pruned(paths);
  expect(isLeft).toBe(true);
  expect(events).toContainEqual(expect.objectContaining({ event: 'release.kept', release: OLD }));
});
