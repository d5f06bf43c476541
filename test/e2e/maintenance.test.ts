import { expect, test } from 'vitest';
import { plainSite } from '../support/plain-site.ts';
import { signalProcess } from '../support/processes.ts';
import { until } from '../support/until.ts';

test('maintenance shows every visitor a page, lets edits go live behind it, outlives whatever is killed, and ends', async () => {
  const site = await plainSite();
  await site.slots('up');
  const on = await site.slots('maintenance', 'on', '--message', 'Back at noon.');
  expect(on).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('503') });
  // Each worker: a connection of its own may go to any.
  for (let i = 0; i < 20; i++) {
    expect(await site.get()).toMatchObject({ status: 503, body: expect.stringContaining('noon') });
  }
  expect((await site.status()).maintenance).toMatchObject({ message: 'Back at noon.' });
  expect((await site.slots('status')).stdout).toContain('`slots maintenance off`');

  const allowed = await site.slots('maintenance', 'on', '--allow', '203.0.113.7', '10.0.0.0/8');
  expect(allowed.stdout).toContain('from 203.0.113.7, 10.0.0.0/8');
  const editor = { 'X-Forwarded-For': '10.1.2.3' };
  await site.edit('page.txt', 'behind the page');
  await until(
    async () => (await site.get('/', undefined, editor)).body === 'behind the page',
    'the edit to be seen by who is allowed',
  );
  expect((await site.get()).status).toBe(503);
  await site.settled();

  const { watcher, proxy } = await site.pids();
  for (const pid of [...watcher, ...proxy]) signalProcess(pid, 'SIGKILL');
  const status = () =>
    site.get().then(
      (page) => page.status,
      () => 0,
    );
  await until(async () => (await status()) === 503, 'new workers to answer');
  await until(async () => (await site.status()).proxy.workers.length === 2, 'both workers');
  for (let i = 0; i < 20; i++) expect((await site.get()).status).toBe(503);
  expect(await site.slots('up')).toMatchObject({ exitCode: 0 });

  expect(await site.slots('maintenance', 'off')).toMatchObject({ exitCode: 0 });
  for (let i = 0; i < 20; i++) expect((await site.get()).body).toBe('behind the page');
});

test('what is wrong with `slots maintenance` is said in one line, and nothing is done', async () => {
  const site = await plainSite();
  await site.slots('up');
  const wrong = async (...args: string[]) => {
    const { exitCode, stderr } = await site.slots('maintenance', ...args);
    return { exitCode, line: stderr.split('\n')[0] };
  };
  expect(await wrong('on', '--allow', '10.0.0.0/33')).toEqual({
    exitCode: 2,
    line: expect.stringContaining('"10.0.0.0/33"'),
  });
  expect(await wrong('on', '--message', ' ')).toMatchObject({ exitCode: 2 });
  expect(await wrong('off', '--message', 'x')).toMatchObject({ exitCode: 2 });
  expect(await wrong('perhaps')).toMatchObject({ exitCode: 2 });
  expect(await wrong('on', '--message', 'x'.repeat(1001))).toEqual({
    exitCode: 1,
    line: expect.stringContaining('message'),
  });
  expect((await site.get()).status).toBe(200);
});
