import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startLoad } from '../support/load.ts';
import { type PlainSite, plainSite } from '../support/plain-site.ts';
import { until } from '../support/until.ts';

/** Changes keys of the site's config as a person does who edits the file. */
async function configure(site: PlainSite, change: Record<string, unknown>): Promise<void> {
  const file = join(site.root, 'slots.config.json');
  const config = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...config, ...change }));
}

/** What the active slot's processes have under this name, and that of the standby's. */
async function variable(site: PlainSite, name: string): Promise<unknown[]> {
  const { active } = await site.status();
  const standby = active === 'blue' ? 'green' : 'blue';
  const ask = async (slot: 'blue' | 'green') => {
    const answer = await fetch(`http://127.0.0.1:${site.ports[slot]}/env?name=${name}`);
    return answer.text();
  };
  return [await ask(active), await ask(standby)];
}

/** Every file of the stack that holds what was said. */
async function logsOf(site: PlainSite): Promise<string> {
  const folder = join(site.env.PM2_HOME as string, 'logs');
  const names = (await readdir(folder)).map((name) => join(folder, name));
  const ours = ['slots/history.jsonl', 'slots/state.json'].map((name) => join(site.root, name));
  const texts = await Promise.all([...names, ...ours].map((name) => readFile(name, 'utf8')));
  return texts.join('\n');
}

test('a changed environment is in effect in both slots after slots restart and slots up, and no request fails', async () => {
  const site = await plainSite({
    config: { env: { GREETING: 'first-value' }, envFiles: ['.env'] },
  });
  await writeFile(join(site.root, '.env'), 'FROM_FILE=file-one\n');
  expect(await site.slots('up')).toMatchObject({ exitCode: 0 });
  const { slots: before } = await site.status();
  await site.edit('page.txt', 'the second release');
  await until(async () => (await site.get()).body === 'the second release', 'the edit to be live');
  const settled = await site.settled();
  const live = settled.slots[settled.active].release;
  expect(await variable(site, 'GREETING')).toEqual(['first-value', 'first-value']);
  const [pids, daemon] = [await site.pids(), await site.daemonPid()];

  const load = startLoad(site.origin, {
    paths: ['/'],
    keepAlive: 6,
    fresh: 3,
    slow: 2,
    pauseMs: 20,
  });
  await configure(site, { env: { GREETING: 'second-value', ADDED: 'added-value' } });
  const restart = await site.slots('restart');
  expect(restart, restart.stderr).toMatchObject({ exitCode: 0 });
  expect(restart.stdout).toContain(`${live} runs in fresh processes`);
  expect(await variable(site, 'GREETING')).toEqual(['second-value', 'second-value']);
  expect(await variable(site, 'ADDED')).toEqual(['added-value', 'added-value']);

  // What is live and what a rollback leads to are as before, in the other slot each.
  const after = await site.status();
  expect(after.active).not.toBe(settled.active);
  expect(after.slots[after.active]).toMatchObject({ release: live, healthy: true });
  expect(after.slots[settled.active]).toMatchObject({
    release: before.blue.release,
    role: 'standby',
  });
  expect(after).toMatchObject({ last: { outcome: 'promoted' }, watcher: { paused: false } });

  // A variable that is taken away is gone, and `up` needs no down before it.
  await configure(site, { env: { GREETING: 'third-value' } });
  const up = await site.slots('up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  expect(await variable(site, 'GREETING')).toEqual(['third-value', 'third-value']);
  expect(await variable(site, 'ADDED')).toEqual(['', '']);

  // A file of variables is watched, so that an edit of it is an edit of the site.
  await writeFile(join(site.root, '.env'), 'FROM_FILE=file-two\n');
  await until(
    async () => (await variable(site, 'FROM_FILE'))[0] === 'file-two',
    'the file to be read',
  );
  await site.settled();
  expect(await variable(site, 'FROM_FILE')).toEqual(['file-two', 'file-two']);

  const result = await load.stop();
  expect(result.failures).toEqual([]);
  expect(result.failed).toBe(0);
  expect(result.requests).toBeGreaterThan(100);
  expect(await site.daemonPid()).toBe(daemon);
  expect((await site.pids()).proxy).toEqual(pids.proxy);
  for (const secret of ['second-value', 'added-value', 'third-value', 'file-two']) {
    expect(await logsOf(site)).not.toContain(secret);
    expect(restart.stdout + restart.stderr + up.stdout + up.stderr).not.toContain(secret);
  }
  // Nothing of the controller's own reaches a site's process that it has started.
  expect(await variable(site, 'SLOTS_STARTED')).toEqual(['', '']);
});

test('an environment that breaks the site leaves visitors on the processes from before', async () => {
  const site = await plainSite({ config: { env: { GREETING: 'good' } } });
  expect(await site.slots('up')).toMatchObject({ exitCode: 0 });
  await configure(site, { env: { GREETING: 'bad', CRASH_AT_START: 'yes' } });
  const restart = await site.slots('restart');
  expect(restart).toMatchObject({ exitCode: 1 });
  expect(restart.stderr).toContain('the start failed');
  expect((await site.get('/env?name=GREETING')).body).toBe('good');

  await configure(site, { env: { GREETING: 'mended' } });
  expect(await site.slots('restart')).toMatchObject({ exitCode: 0 });
  expect((await site.get('/env?name=GREETING')).body).toBe('mended');
});

test('slots restart says of a site that does not run that it does not', async () => {
  const site = await plainSite();
  const restart = await site.slots('restart');
  expect(restart).toMatchObject({ exitCode: 1 });
  expect(restart.stderr).toContain('is not running');
});
