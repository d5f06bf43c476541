import { readdir, readFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { SitePaths } from '../../../src/slots/paths.ts';
import { startBuild } from '../../support/build-site.ts';
import { processesWith, signalProcess } from '../../support/processes.ts';
import { tempSite } from '../../support/temp-site.ts';
import { until } from '../../support/until.ts';

const GOOD = 'echo ok > {outDir}/server.mjs';

async function site(): Promise<SitePaths> {
  const paths = await tempSite({ 'src/content/a.md': 'hello' });
  onTestFinished(async () => {
    for (const { pid } of await buildProcesses(paths)) signalProcess(pid, 'SIGKILL');
  });
  return paths;
}

/** What runs of the builds of this site. */
function buildProcesses(paths: SitePaths) {
  return processesWith([`SLOTS_OUT_DIR=${paths.releases}/`]);
}

async function expectOnlyLog(paths: SitePaths): Promise<void> {
  await until(async () => (await buildProcesses(paths)).length === 0, 'the processes to be gone');
  expect(await readdir(paths.releases)).toEqual([]);
  // On a slow machine the time is up before the first line.
  expect(await readFile(paths.failedBuildLog, 'utf8')).toMatch(/^(working\n)?$/);
}

/** A shell, its child and its grandchild, none of which ends by itself. */
const TREE = `echo working; sh -c 'sh -c "sleep 1000; :" & sleep 1000; :' & sleep 1000; :`;

/** All of them at once, since each takes the time that a build has to end by itself. */
const HANGING: [how: string, build: string][] = [
  ['with children and their children', TREE],
  ['and does not heed SIGTERM', `trap '' TERM; ${TREE}`],
  ['in a process that it did not wait for', `${GOOD}; echo working; sleep 1000 &`],
  ['in a process that made itself independent', 'echo working; setsid sleep 1000 & sleep 1000'],
];

test('a build that hangs is killed with all its processes after buildTimeoutMs', async () => {
  const hang = async ([how, build]: (typeof HANGING)[number]) => {
    const paths = await site();
    const { release } = startBuild(paths, build, { buildTimeoutMs: 700 });
    await expect(release, how).rejects.toMatchObject({
      code: 'BUILD_TIMEOUT',
      message: 'the build was still running after 700 ms and was killed',
      hint: expect.stringContaining('buildTimeoutMs'),
    });
    await expectOnlyLog(paths);
  };
  await Promise.all(HANGING.map(hang));
});

test('a build that has ended well is a release soon, whatever it left running with its output in hand', async () => {
  const paths = await site();
  const { release } = startBuild(paths, `${GOOD}; echo working; setsid sleep 1000 &`, {
    buildTimeoutMs: 60_000,
  });
  const { id, buildMs } = await release;
  expect(buildMs).toBeLessThan(20_000);
  expect(await readdir(paths.releases)).toEqual([id]);
  expect(await buildProcesses(paths)).toEqual([]);
});

test('a build that is canceled ends with all its processes', async () => {
  const paths = await site();
  const build = startBuild(paths, TREE);
  await until(() => build.lines.length > 0, 'the build to work');
  build.cancel();
  await expect(build.release).rejects.toMatchObject({ code: 'BUILD_CANCELED' });
  await expectOnlyLog(paths);
});

test('a build that is canceled: before it began is never run', async () => {
  const paths = await site();
  const build = startBuild(paths, `${GOOD}; echo ran > ran`);
  build.cancel();
  await expect(build.release).rejects.toMatchObject({ code: 'BUILD_CANCELED' });
  expect(await readdir(paths.root)).not.toContain('ran');
  expect(await readdir(paths.releases)).toEqual([]);
});
