import { expect, test } from 'vitest';
import { plainSite } from '../support/plain-site.ts';
import { until } from '../support/until.ts';

const CACHE = { cache: { untilRelease: ['/**'] } };

test('pages come from memory until the next flip, and a rollback finds its own again', async () => {
  const site = await plainSite({ config: CACHE });
  await site.slots('up');
  await site.edit('page.txt', 'first');
  await until(async () => (await site.get()).body === 'first', 'the first edit', 30_000);
  // Each worker has a memory of its own.
  await until(
    async () => (await site.get()).headers['cache-status']?.includes('hit') === true,
    'an answer from memory',
  );
  await site.settled();
  await site.edit('page.txt', 'second');
  await until(async () => (await site.get()).body === 'second', 'the second edit', 30_000);
  await site.settled();
  for (let i = 0; i < 20; i++) expect((await site.get()).body).toBe('second');
  await site.slots('rollback');
  for (let i = 0; i < 20; i++) expect((await site.get()).body).toBe('first');
  const { cache } = await until(async () => {
    const status = await site.status();
    return status.cache.hits > 30 ? status : undefined;
  }, 'the workers to report');
  expect(cache.entries).toBeGreaterThan(0);
});

test('the first visitor after a flip is answered from memory, where others had asked for the page before', async () => {
  const site = await plainSite({ config: { ...CACHE, proxy: { workers: 1 } } });
  await site.slots('up');
  await site.edit('page.txt', 'first');
  await until(async () => (await site.get()).body === 'first', 'the first edit', 30_000);
  await site.settled();
  await site.edit('page.txt', 'second');
  const page = await until(
    async () => {
      const answer = await site.get();
      return answer.body === 'second' && answer;
    },
    'the second edit',
    30_000,
  );
  expect(page.headers['cache-status']).toContain('slots; hit');
  expect((await site.slots('logs', 'watcher', '-n', '200')).stdout).toContain('cache.filled');
});

test('`slots cache` says what is stored, and `slots purge` forgets it', async () => {
  const site = await plainSite({ config: { ...CACHE, proxy: { workers: 1 } } });
  await site.slots('up');
  for (const path of ['/', '/', '/file']) await site.get(path);
  await until(async () => (await site.status()).cache.entries === 2, 'both to be stored');
  const shown = JSON.parse((await site.slots('cache', '--json')).stdout);
  expect(shown).toMatchObject({ entries: 2, hits: expect.any(Number) });
  expect((await site.slots('cache')).stdout).toContain('2 answers in memory');
  expect(await site.slots('purge', '/file')).toMatchObject({
    exitCode: 0,
    stdout: 'forgot 1 answer\n',
  });
  expect((await site.get()).headers['cache-status']).toContain('hit');
  expect((await site.get('/file')).headers['cache-status']).toContain('fwd=uri-miss');
  expect((await site.slots('purge', 'file')).exitCode).toBe(2);
  expect((await site.slots('purge')).stdout).toMatch(/^forgot \d answers?\n$/);
});

test('what is stored is served when both slots are dead', async () => {
  const site = await plainSite({ config: { ...CACHE, proxy: { workers: 1 } } });
  await site.slots('up');
  await site.get('/file');
  await site.slots('pause');
  const { blue, green } = await site.pids();
  for (const pid of [...blue, ...green]) process.kill(pid, 'SIGSTOP');
  const page = await site.get('/file');
  expect(page.status).toBe(200);
  expect(page.headers['cache-status']).toContain('slots; hit');
  for (const pid of [...blue, ...green]) process.kill(pid, 'SIGCONT');
});
