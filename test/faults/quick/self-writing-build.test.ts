/** Rows 9 and 11: sites that would start their own next build for ever. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plainSite } from '../../support/plain-site.ts';
import { until } from '../../support/until.ts';
import { recordFault, times } from '../table.ts';

test('a site that watches all of itself builds once for an edit, whatever slots writes', async () => {
  const site = await plainSite({ config: { watch: ['.'] } });
  const up = await site.slots('up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  await site.edit('page.txt', 'second');
  await until(async () => (await site.get()).body === 'second', 'the edit', 30_000);
  await site.settled();
  await site.slots('pause');
  await site.slots('resume');
  await until(async () => (await site.status()).watcher.pending === 0, 'the look', 30_000);
  await site.settled();
  const history = JSON.parse((await site.slots('history', '--json')).stdout);
  expect(history.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
    'promoted',
    'promoted',
  ]);
});

const BUILDS = [
  ['succeeds', 'node build.mjs {outDir}'],
  ['fails', 'node build.mjs {outDir}; exit 1'],
];

test.each(BUILDS.slice(0, times(1, BUILDS.length)))(
  'a build that %s and writes into what is watched ends after a few, and says why',
  async (what, build) => {
    const site = await plainSite();
    await site.slots('up');
    await site.slots('down');
    const file = join(site.root, 'slots.config.json');
    const config = JSON.parse(await readFile(file, 'utf8'));
    config.build = `date +%N > src/content/generated.txt; ${build}`;
    await writeFile(file, JSON.stringify(config));
    await site.edit('page.txt', 'second');
    const up = await site.slots('up');
    expect(up, up.stderr).toMatchObject({ exitCode: 0 });

    const builds = async () => JSON.parse((await site.slots('history', '--json')).stdout).length;
    const problem = async () => (await site.status()).watcher.problem;
    const started = performance.now();
    const why = await until(problem, 'the loop to end', 60_000);
    const recoveryMs = [performance.now() - started];
    const fault = `build that ${what} writes into what is watched`;
    recordFault({ row: 11, fault, injected: 1, requests: 0, failed: 0, editsLost: 0, recoveryMs });
    expect(why).toMatch(/^each build changes what is watched \(src\/content\/generated\.txt\)/);
    expect((await site.slots('status')).stdout).toContain(why);
    const count = await builds();
    expect(count).toBeLessThanOrEqual(6);
    if (what === 'succeeds') expect((await site.get()).body).toBe('second');

    // The rescan looks every ten seconds, and finds nothing either.
    await until(async () => (await problem()) === why, 'the problem to stay');
    await site.edit('page.txt', 'third');
    await until(async () => (await builds()) > count, 'an edit to be built nonetheless', 60_000);
    if (what === 'succeeds') {
      await until(async () => (await site.get()).body === 'third', 'the edit to be live', 60_000);
    }
  },
);
