import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { clearOrphans } from '../../../src/controller/build/orphans.ts';
import type { SitePaths } from '../../../src/slots/paths.ts';
import { createPartial, partialDir } from '../../../src/slots/release.ts';
import { collectedLog } from '../../support/collected-log.ts';
import { isRunning } from '../../support/is-running.ts';
import { processesWith, signalProcess } from '../../support/processes.ts';
import { putRelease, releaseIdOf, tempSite } from '../../support/temp-site.ts';
import { until } from '../../support/until.ts';

const ID = releaseIdOf(1);

/** Starts what a killed controller would leave running, and waits until all of its processes run. */
async function startOrphan(paths: SitePaths, id: string, script: string, count: number) {
  const outDir = join(partialDir(paths, id), 'dist');
  const child = spawn('sh', ['-c', script], {
    env: { PATH: process.env.PATH, SLOTS_OUT_DIR: outDir },
    stdio: 'ignore',
    detached: true,
  });
  const find = () => processesWith([`SLOTS_OUT_DIR=${outDir}`]);
  onTestFinished(async () => {
    for (const { pid } of await find()) signalProcess(pid, 'SIGKILL');
  });
  await until(async () => (await find()).length >= count, `${count} processes of a build`);
  return { find, pid: child.pid as number };
}

test('clearOrphans ends every process of an unfinished build and removes what it left', async () => {
  const paths = await tempSite();
  await createPartial(paths, ID);
  const script = `trap '' TERM; sh -c 'setsid sleep 1000 & sleep 1000; :' & sleep 1000; :`;
  const orphan = await startOrphan(paths, ID, script, 5);
  const { log, events } = collectedLog();
  await clearOrphans(paths, log);
  await until(async () => (await orphan.find()).length === 0, 'the orphans to be gone');
  expect(await readdir(paths.releases)).toEqual([]);
  expect(events('build.orphan')).toMatchObject([
    { release: ID, pids: expect.arrayContaining([orphan.pid]) },
  ]);
});

test('clearOrphans removes the folder even while the orphan goes on writing to it', async () => {
  const paths = await tempSite();
  const dir = await createPartial(paths, ID);
  const write =
    'while :; do n=$((n + 1)); mkdir -p "$SLOTS_OUT_DIR/$n"; : > "$SLOTS_OUT_DIR/$n/f"; done';
  const orphan = await startOrphan(paths, ID, write, 1);
  await until(async () => (await readdir(join(dir, 'dist'))).length > 50, 'some output');
  await clearOrphans(paths, collectedLog().log);
  await until(async () => !(await isRunning(orphan.pid)), 'the orphan to be gone');
  expect(await readdir(paths.releases)).toEqual([]);
});

test('clearOrphans leaves the builds of other sites and its own complete releases alone', async () => {
  const paths = await tempSite();
  const other = await tempSite();
  await putRelease(paths, releaseIdOf(2));
  await createPartial(paths, ID);
  await createPartial(other, ID);
  const bystander = await startOrphan(other, ID, 'exec sleep 1000', 1);
  await clearOrphans(paths, collectedLog().log);
  expect(await isRunning(bystander.pid)).toBe(true);
  expect(await readdir(paths.releases)).toEqual([releaseIdOf(2)]);
  expect(await readdir(other.releases)).toEqual([`${ID}.partial`]);
});

test('clearOrphans leaves a build alone whose id only begins like that of an orphan', async () => {
  const paths = await tempSite();
  await createPartial(paths, ID);
  const bystander = await startOrphan(paths, `${ID}.partial2`, 'exec sleep 1000', 1);
  await clearOrphans(paths, collectedLog().log);
  expect(await isRunning(bystander.pid)).toBe(true);
});

test('clearOrphans removes what was to be renamed over the state and the symlinks, and nothing else', async () => {
  const link = '.blue-0f8fad5b-d9cb-469f-a165-70867728950e';
  const kept = ['.gitkeep', 'state.json', 'state.json.bad-2026-01-01T00-00-00-000Z'];
  const names = [...kept, 'state.json.3141592653', link];
  const paths = await tempSite(Object.fromEntries(names.map((name) => [`slots/${name}`, ''])));
  await clearOrphans(paths, collectedLog().log);
  expect((await readdir(paths.slots)).sort()).toEqual(kept);
});

test('clearOrphans does nothing, quietly, where nothing was left', async () => {
  const { log, lines } = collectedLog();
  await clearOrphans(await tempSite(), log);
  expect(lines).toEqual([]);
});
