import { execFileSync } from 'node:child_process';
import { closeSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { UserConfig } from '../../../src/config/schema.ts';
import { createArchive } from '../../../src/controller/skew/archive.ts';
import { openKeptFiles } from '../../../src/proxy/skew/kept-files.ts';
import { filesFolder, indexFile, keptFile, parseIndex } from '../../../src/slots/assets-index.ts';
import { releaseDir, type SitePaths, sitePaths } from '../../../src/slots/paths.ts';
import { deleteRelease, type Release, readRelease } from '../../../src/slots/release.ts';
import { EMPTY_STATE, type State } from '../../../src/slots/state.ts';
import { collectedLog } from '../../support/collected-log.ts';
import { digestOf } from '../../support/kept-files.ts';
import { otherDisk, smallDisk } from '../../support/small-disk.ts';
import { putFile, putRelease, releaseIdOf, tempSite } from '../../support/temp-site.ts';
import { testConfig } from '../../support/test-config.ts';

const CLIENT = [{ folder: 'client', url: '/' }];
const SCRIPT = '/assets/page-Bx3k9ZaQ.js';

/** A release with these files below `client`. */
async function release(
  paths: SitePaths,
  number: number,
  files: Record<string, string>,
  change: Partial<Release> = {},
): Promise<Release> {
  const made = await putRelease(paths, releaseIdOf(number), { client: CLIENT, ...change });
  const dist = join(releaseDir(paths, made.id), 'dist');
  await mkdir(join(dist, 'client'), { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    await putFile(join(dist, 'client'), `.${path}`, content);
  }
  return made;
}

/** An archive whose work a test can wait for; `live` says what the slots have. */
function archiveOf(paths: SitePaths, user: UserConfig = {}, live: Release[] = []) {
  const { log, lines, events } = collectedLog();
  const [blue, green] = live;
  const slots = { blue: { release: blue?.id ?? null }, green: { release: green?.id ?? null } };
  const store = { state: { ...EMPTY_STATE, slots } as State };
  const archive = createArchive({ config: testConfig(user), paths, store, log });
  const done = async (work: () => void) => {
    work();
    await archive.idle();
  };
  const has = (path: string) => {
    const file = openKeptFiles(paths).open(path);
    return file === null ? null : { release: file.release, text: readFd(file.fd) };
  };
  return { archive, lines, events, done, has };
}

function readFd(fd: number): string {
  try {
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

const indexOf = async (paths: SitePaths) => parseIndex(await readFile(indexFile(paths), 'utf8'));

test('hashed files of a complete release are hard-linked, outlive it, and are found under the name of the release', async () => {
  const paths = await tempSite();
  const one = await release(paths, 1, {
    [SCRIPT]: 'one',
    '/index.html': 'page',
    '/assets/page-Bx3k9ZaQ.html': 'page',
    '/robots.txt': 'r',
    '/sw.js': 'worker',
  });
  const { archive, done, has } = archiveOf(paths);
  await done(() => archive.add(one));
  const kept = await stat(keptFile(paths, digestOf('one')));
  const own = await stat(join(releaseDir(paths, one.id), 'dist/client', SCRIPT));
  expect(kept.ino).toBe(own.ino);
  expect([...(await indexOf(paths)).files.keys()]).toEqual([SCRIPT]);
  await deleteRelease(paths, one.id);
  await done(() => archive.tidy());
  expect(has(SCRIPT)).toEqual({ release: one.id, text: 'one' });
  expect(archive.size()).toEqual({ files: 1, bytes: 3 });
});

test('files outside of the client folders, and what symlinks lead to, are never kept', async () => {
  const paths = await tempSite({ 'secret-3f2a9c1b.js': 'secret' });
  const one = await release(paths, 1, { '/x.3f2a9c1b.js': 'x' });
  const dist = join(releaseDir(paths, one.id), 'dist');
  await putFile(dist, 'server/chunk-3f2a9c1b.js', 'server');
  await symlink(join(paths.root, 'secret-3f2a9c1b.js'), join(dist, 'client/out-3f2a9c1b.js'));
  await symlink(paths.root, join(dist, 'client/folder'));
  await symlink('../server', join(dist, 'client/inside'));
  await symlink(paths.root, join(dist, 'escaped'));
  const client = [...CLIENT, { folder: 'escaped', url: '/e' }, { folder: '../..', url: '/up' }];
  const { archive, done, events } = archiveOf(paths);
  await done(() => archive.add({ ...one, client }));
  expect([...(await indexOf(paths)).files.keys()]).toEqual(['/x.3f2a9c1b.js']);
  expect(events('assets.failed')).toEqual([]);
});

test('a hundred releases whose files stay the same take the space of one', async () => {
  const paths = await tempSite();
  const files = Object.fromEntries(
    Array.from({ length: 10 }, (_, i) => [`/assets/${i}-3f2a9c1b.js`, `${i}`.repeat(20_000)]),
  );
  const { archive, done } = archiveOf(paths);
  let first = 0;
  for (let number = 1; number <= 100; number++) {
    const made = await release(paths, number, files);
    await done(() => archive.add(made));
    await deleteRelease(paths, made.id);
    if (number === 1) first = diskUse(paths.assets);
  }
  expect(diskUse(paths.assets)).toBeLessThanOrEqual(first * 1.1);
  expect(archive.size()?.files).toBe(10);
}, 120_000);

/** In bytes, as the disk has it. */
function diskUse(folder: string): number {
  return Number(
    execFileSync('du', ['-s', '--block-size=1', folder], { encoding: 'utf8' }).split('\t')[0],
  );
}

test('the newest content of a name counts, whichever release is added last', async () => {
  const paths = await tempSite();
  const old = await release(paths, 1, { [SCRIPT]: 'old' });
  const young = await release(paths, 2, { [SCRIPT]: 'young' });
  const { archive, done, has } = archiveOf(paths);
  await done(() => archive.add(young));
  await done(() => archive.add(old));
  expect(has(SCRIPT)).toEqual({ release: young.id, text: 'young' });
});

test('files of a live release stay however old and large they are, and others go', async () => {
  const paths = await tempSite();
  const old = await release(paths, 1, { '/old-3f2a9c1b.js': 'old' });
  const live = await release(paths, 2, { '/live-3f2a9c1b.js': 'live' });
  const { archive, done, has, events } = archiveOf(paths, { skew: { maxBytes: 0 } }, [live]);
  await done(() => archive.add(old));
  await done(() => archive.add(live));
  expect(has('/old-3f2a9c1b.js')).toBeNull();
  expect(has('/live-3f2a9c1b.js')).toMatchObject({ text: 'live' });
  expect(await readdir(filesFolder(paths))).toEqual([digestOf('live')]);
  expect(events('assets.pruned')).toMatchObject([{ files: 1, bytes: 3 }]);
});

test('a file system without links across it gets copies', async () => {
  const paths = await tempSite();
  const elsewhere = await otherDisk();
  await mkdir(paths.slots, { recursive: true });
  await symlink(elsewhere, paths.assets);
  const one = await release(paths, 1, { [SCRIPT]: 'one' });
  const { archive, done, has, events } = archiveOf(paths);
  await done(() => archive.add(one));
  expect((await stat(keptFile(paths, digestOf('one')))).nlink).toBe(1);
  expect(has(SCRIPT)).toEqual({ release: one.id, text: 'one' });
  expect(events('assets.failed')).toEqual([]);
});

test('a full disk costs the archive alone, and says so', async ({ skip }) => {
  const paths = await tempSite();
  const small = await smallDisk(skip, 65_536);
  await mkdir(paths.slots, { recursive: true });
  await symlink(small, paths.assets);
  const one = await release(paths, 1, {
    '/a-3f2a9c1b.js': 'a',
    '/b-3f2a9c1b.js': 'b'.repeat(100_000),
  });
  const { archive, done, events } = archiveOf(paths);
  await done(() => archive.add(one));
  expect(events('assets.failed')).toMatchObject([
    { level: 50, release: one.id, msg: expect.stringContaining('ENOSPC') },
  ]);
  expect((await indexOf(paths)).releases).toEqual(new Set());
  expect(await readdir(filesFolder(paths))).not.toContainEqual(expect.stringMatching(/^\./));
  // Its next start tries again, and a release that fits is kept.
  const two = await release(paths, 2, { '/c-3f2a9c1b.js': 'c' });
  await done(() => archive.add(two));
  expect((await indexOf(paths)).releases).toEqual(new Set([two.id]));
});

test('a disk that has no room for another release like the newest takes it from files that no release has', async ({
  skip,
}) => {
  const paths = sitePaths(await smallDisk(skip, 1_048_576));
  const one = await release(paths, 1, { '/old-3f2a9c1b.js': 'o'.repeat(400_000) });
  const { archive, done, has } = archiveOf(paths);
  await done(() => archive.add(one));
  await deleteRelease(paths, one.id);
  const small = { size: { release: 100_000, source: 1 } };
  const two = await release(paths, 2, { '/two-3f2a9c1b.js': 'two' }, small);
  await done(() => archive.add(two));
  expect(has('/old-3f2a9c1b.js')).not.toBeNull();
  const large = { size: { release: 900_000, source: 1 } };
  const three = await release(paths, 3, { '/three-3f2a9c1b.js': 'three' }, large);
  await done(() => archive.add(three));
  expect(has('/old-3f2a9c1b.js')).toBeNull();
  expect(has('/three-3f2a9c1b.js')).toMatchObject({ text: 'three' });
});

test('a folder that cannot be used costs the archive alone', async () => {
  const paths = await tempSite({ 'slots/assets': 'a file' });
  const one = await release(paths, 1, { [SCRIPT]: 'one' });
  const { archive, done, events } = archiveOf(paths);
  await done(() => archive.add(one));
  expect(events('assets.failed')).toHaveLength(1);
});

test.each<[string, (paths: SitePaths) => Promise<unknown>, string]>([
  ['is gone', ({ assets }) => rm(assets, { recursive: true }), 'knew nothing'],
  ['has lost its index', (paths) => rm(indexFile(paths)), 'index.jsonl is not there'],
  [
    'has an index that was cut short',
    (paths) => writeFile(indexFile(paths), '{"kind":"slots-assets","ver'),
    'index.jsonl cannot be read',
  ],
  [
    'has lost a file',
    (paths) => rm(keptFile(paths, digestOf('one'))),
    '1 of the 2 files in slots/assets are lost',
  ],
  [
    'has a file in its place',
    async ({ assets }) => {
      await rm(assets, { recursive: true });
      await writeFile(assets, '');
    },
    'was no folder',
  ],
])(
  'an archive that %s is made anew from kept releases at the start, and that is said',
  async (_what, damage, said) => {
    const paths = await tempSite();
    const one = await release(paths, 1, { [SCRIPT]: 'one' });
    const two = await release(paths, 2, { '/two-3f2a9c1b.js': 'two' });
    const before = archiveOf(paths);
    await before.done(() => before.archive.add(one));
    await before.done(() => before.archive.add(two));
    await damage(paths);
    const { archive, done, has, events } = archiveOf(paths);
    await done(() => archive.start());
    expect(has(SCRIPT)).toEqual({ release: one.id, text: 'one' });
    expect(has('/two-3f2a9c1b.js')).toEqual({ release: two.id, text: 'two' });
    expect(events('assets.rebuilt')).toMatchObject([{ msg: expect.stringContaining(said) }]);
    // Once it is well again nothing is said.
    const after = archiveOf(paths);
    await after.done(() => after.archive.start());
    expect(after.events('assets.rebuilt')).toEqual([]);
  },
);

test('an archive that is wiped while the controller runs comes back with its next work', async () => {
  const paths = await tempSite();
  const one = await release(paths, 1, { [SCRIPT]: 'one' });
  const { archive, done, has, events } = archiveOf(paths);
  await done(() => archive.add(one));
  await rm(paths.assets, { recursive: true });
  expect(has(SCRIPT)).toBeNull();
  await done(() => archive.tidy());
  expect(has(SCRIPT)).toEqual({ release: one.id, text: 'one' });
  expect(events('assets.rebuilt')).toHaveLength(1);
  expect(events('assets.failed')).toEqual([]);
});

test('a file that was changed in the archive alone comes back from the release, and one whose release is gone is dropped', async () => {
  const paths = await tempSite();
  const one = await release(paths, 1, { '/gone-3f2a9c1b.js': 'gone', [SCRIPT]: 'one' });
  const before = archiveOf(paths);
  await before.done(() => before.archive.add(one));
  for (const text of ['gone', 'one']) {
    const file = keptFile(paths, digestOf(text));
    await rm(file);
    await writeFile(file, text.toUpperCase());
  }
  await rm(join(releaseDir(paths, one.id), 'dist/client/gone-3f2a9c1b.js'));
  const { archive, done, has } = archiveOf(paths);
  await done(() => archive.start());
  expect(has(SCRIPT)).toEqual({ release: one.id, text: 'one' });
  expect(has('/gone-3f2a9c1b.js')).toBeNull();
});

test('an archive that was copied or restored, so that its times differ, is taken as it is', async () => {
  const paths = await tempSite();
  const one = await release(paths, 1, { [SCRIPT]: 'one' });
  const before = archiveOf(paths);
  await before.done(() => before.archive.add(one));
  await utimes(keptFile(paths, digestOf('one')), 1, 1);
  await deleteRelease(paths, one.id);
  const { archive, done, has, events } = archiveOf(paths);
  await done(() => archive.start());
  expect(has(SCRIPT)).toEqual({ release: one.id, text: 'one' });
  expect(events('assets.rebuilt')).toEqual([]);
});

test('what a killed controller has left half done is cleared', async () => {
  const paths = await tempSite();
  const one = await release(paths, 1, { [SCRIPT]: 'one' });
  const { archive, done } = archiveOf(paths);
  await done(() => archive.add(one));
  await writeFile(join(filesFolder(paths), '.half'), 'x');
  await writeFile(keptFile(paths, digestOf('unknown')), 'unknown');
  await done(() => archive.tidy());
  expect(await readdir(filesFolder(paths))).toEqual([digestOf('one')]);
});

test('releases from before there was an archive, or built beside it, are kept at the start', async () => {
  const paths = await tempSite();
  const one = await release(paths, 1, { [SCRIPT]: 'one' }, { client: undefined });
  expect((await readRelease(paths, one.id)).client).toBeUndefined();
  const { archive, done, has, events } = archiveOf(paths, { client: CLIENT });
  await done(() => archive.start());
  expect(has(SCRIPT)).toEqual({ release: one.id, text: 'one' });
  expect(events('assets.rebuilt')).toMatchObject([{ level: 30, releases: [one.id] }]);
});

test('with skew off nothing is kept, and what was kept before is removed at the start', async () => {
  const paths = await tempSite();
  const one = await release(paths, 1, { [SCRIPT]: 'one' });
  const on = archiveOf(paths);
  await on.done(() => on.archive.add(one));
  const off = archiveOf(paths, { skew: false });
  await off.done(() => off.archive.start());
  await off.done(() => off.archive.add(one));
  await off.done(() => off.archive.tidy());
  expect(off.has(SCRIPT)).toBeNull();
  expect(await stat(paths.assets).catch(() => null)).toBeNull();
  expect(off.archive.size()).toBeNull();
  expect(off.events('assets.removed')).toHaveLength(1);
});
