import { expect, test } from 'vitest';
import { startLoad } from '../support/load.ts';
import { PLAIN_PATHS, plainSite } from '../support/plain-site.ts';
import { until } from '../support/until.ts';

test('rolls back to the standby and forward again without a build and without a failed request', async () => {
  const site = await plainSite();
  await site.slots('up');
  const first = (await site.get()).release;
  await site.edit('page.txt', 'second');
  await until(async () => (await site.get()).body === 'second', 'the second release');
  await site.settled();
  const second = (await site.get()).release;
  const load = startLoad(site.origin, { paths: PLAIN_PATHS, keepAlive: 8, fresh: 3, slow: 2 });

  const back = await site.slots('rollback');
  expect(back).toMatchObject({ exitCode: 0 });
  expect(back.stdout).toContain('edits are paused');
  expect((await site.get()).release).toBe(first);
  const { last } = await site.settled();
  expect(last).toMatchObject({ outcome: 'rolled-back', release: first });
  expect(last?.durationsMs).not.toHaveProperty('build');
  expect(last?.durationsMs).not.toHaveProperty('start');

  expect(await site.slots('rollback')).toMatchObject({ exitCode: 0 });
  expect((await site.get()).release).toBe(second);
  await site.settled();
  const { failures, failed } = await load.stop();
  expect(failures).toEqual([]);
  expect(failed).toBe(0);
});

test('serves the standby while the slot it comes back from is still draining', async () => {
  const site = await plainSite({ config: { drainTimeoutMs: 60_000 } });
  await site.slots('up');
  const first = (await site.get()).release;
  // A request that outlives everything below keeps the drain going.
  const open = site.get('/api/slow?ms=6000');
  await site.edit('page.txt', 'bad');
  await until(async () => (await site.get()).body === 'bad', 'the bad release');
  await until(async () => (await site.status()).promotion?.stage === 'drain', 'the drain');
  expect(await site.slots('rollback')).toMatchObject({ exitCode: 0 });
  expect((await site.get()).release).toBe(first);
  expect((await open).status).toBe(200);
});

test('puts a kept release live without a build, and keeps edits back until resume', async () => {
  const site = await plainSite();
  await site.slots('up');
  const first = (await site.get()).release as string;
  for (const text of ['second', 'third']) {
    await site.edit('page.txt', text);
    await until(async () => (await site.get()).body === text, text);
    await site.settled();
  }
  expect(await site.slots('rollback', first)).toMatchObject({ exitCode: 0 });
  expect((await site.get()).release).toBe(first);

  await site.edit('page.txt', 'fourth');
  await until(async () => (await site.status()).watcher.pending > 0, 'the edit to be seen');
  const waiting = await site.status();
  expect(waiting.watcher.paused).toBe(true);
  expect((await site.get()).release).toBe(first);
  await site.slots('resume');
  await until(async () => (await site.get()).body === 'fourth', 'the edit to be live');
});

test('promotes on resume what was rolled back, though the files were only touched meanwhile', async () => {
  const site = await plainSite();
  await site.slots('up');
  await site.edit('page.txt', 'second');
  await until(async () => (await site.get()).body === 'second', 'the second release');
  await site.settled();
  expect(await site.slots('rollback')).toMatchObject({ exitCode: 0 });
  await site.edit('page.txt', 'second');
  await until(async () => (await site.status()).watcher.pending > 0, 'the touch to be seen');
  await site.slots('resume');
  await until(async () => (await site.get()).body === 'second', 'the second content again', 30_000);
});

test('refuses a rollback where there is nothing to go back to, and says so', async () => {
  const site = await plainSite();
  await site.slots('up');
  const none = await site.slots('rollback');
  expect(none).toMatchObject({ exitCode: 1 });
  expect(none.stderr).toContain('there is no standby to roll back to');
  const unknown = await site.slots('rollback', 'r20200101T000000-abcdef');
  expect(unknown).toMatchObject({ exitCode: 1 });
  expect(unknown.stderr).toContain('there is no release r20200101T000000-abcdef');
  const path = await site.slots('rollback', '../../etc');
  expect(path.exitCode).toBe(2);
  expect(path.stderr).toContain('is not a release id');
});
