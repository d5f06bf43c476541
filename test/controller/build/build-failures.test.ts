import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SitePaths } from '../../../src/slots/paths.ts';
import { partialDir } from '../../../src/slots/release.ts';
import { startBuild } from '../../support/build-site.ts';
import { tempSite } from '../../support/temp-site.ts';

const CONTENT = { 'src/content/a.md': 'hello' };
const GOOD = 'echo ok > {outDir}/server.mjs';

/** A failed build leaves its log and nothing else. */
async function expectOnlyLog(paths: SitePaths, log: string | RegExp): Promise<void> {
  expect(await readdir(paths.releases)).toEqual([]);
  const text = await readFile(paths.failedBuildLog, 'utf8');
  if (typeof log === 'string') expect(text).toBe(log);
  else expect(text).toMatch(log);
}

test.each<[string, string | string[], string | RegExp, string | RegExp]>([
  ['exits with 1', 'echo one; exit 1', 'the build exited with code 1: one', 'one\n'],
  ['says nothing', 'exit 3', 'the build exited with code 3', ''],
  [
    'names its error before other output',
    'echo "TypeError: no title"; echo bye; exit 1',
    'the build exited with code 1: TypeError: no title',
    /bye/,
  ],
  ['ends by a signal', 'kill -SEGV $$', 'the build was ended by SIGSEGV', ''],
  ['has a child that is killed', "sh -c 'kill -9 $$' ; exit $?", /code 137/, /Killed/],
  ['is an unknown command for a shell', 'no-such-tool', /code 127: .*no-such-tool/, /no-such-tool/],
  ['is an unknown program', ['no-such-tool'], /could not be started: .*ENOENT/, ''],
])('a failing build that %s is told as it was', async (_name, build, message, log) => {
  const paths = await tempSite(CONTENT);
  await expect(startBuild(paths, build).release).rejects.toMatchObject({
    code: 'BUILD_FAILED',
    message: typeof message === 'string' ? message : expect.stringMatching(message),
    hint: expect.stringContaining('slots logs build'),
  });
  await expectOnlyLog(paths, log);
});

test('a failing build that made its output nonetheless is no release', async () => {
  const paths = await tempSite(CONTENT);
  await expect(startBuild(paths, `${GOOD}; exit 1`).release).rejects.toThrow('code 1');
  await expectOnlyLog(paths, '');
});

test('a failing build leaves the log of the last failure only, and a good one leaves that', async () => {
  const paths = await tempSite(CONTENT);
  for (const word of ['first', 'second']) {
    await expect(startBuild(paths, `echo ${word}; exit 1`).release).rejects.toThrow(word);
  }
  const { id } = await startBuild(paths, GOOD).release;
  expect(await readdir(paths.releases)).toEqual([id]);
  expect(await readFile(paths.failedBuildLog, 'utf8')).toBe('second\n');
});

test.each([
  ['wrote nothing', 'echo done', 'wrote nothing to its output folder', 'SLOTS_OUT_DIR'],
  ['removed its folder', 'rm -r {outDir}', 'wrote nothing to its output folder', '{outDir}'],
  ['has no entry', 'echo x > {outDir}/other.mjs', 'wrote no server.mjs', 'other.mjs'],
  ['has a folder for an entry', 'mkdir {outDir}/server.mjs', 'wrote no server.mjs', 'entry'],
])(
  'a build without a usable result that %s is no release, and it says what to do',
  async (_name, build, message, hint) => {
    const paths = await tempSite(CONTENT);
    await expect(startBuild(paths, build).release).rejects.toMatchObject({
      code: 'BUILD_EMPTY',
      message: `the build succeeded but ${message}`,
      hint: expect.stringContaining(hint),
    });
    await expectOnlyLog(paths, /^(done\n)?$/);
  },
);

test.each([
  ['is full', 'ENOSPC', (log: string) => symlink('/dev/full', log)],
  ['does not let it be opened', 'EISDIR', (log: string) => mkdir(log)],
])(
  'a disk that takes no more of build.log: because it %s fails the build and nothing else',
  async (_name, code, spoil) => {
    const paths = await tempSite(CONTENT);
    const onNamed = async (id: string) => {
      await mkdir(partialDir(paths, id), { recursive: true });
      await spoil(join(partialDir(paths, id), 'build.log'));
    };
    const build = startBuild(paths, `echo one; ${GOOD}`, { onNamed });
    await expect(build.release).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringMatching(new RegExp(`build.log.*${code}`)),
    });
    expect(await readdir(paths.releases)).toEqual([]);
  },
);
