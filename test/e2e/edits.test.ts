import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plainSite } from '../support/plain-site.ts';
import { until } from '../support/until.ts';

const live = (site: { get(): Promise<{ body: string }> }, text: string) =>
  until(async () => (await site.get()).body === text, `${text} to be live`, 30_000);

test('builds nothing for a burst that leaves the files as they were', async () => {
  const site = await plainSite();
  await site.slots('up');
  const page = join(site.root, 'src/content/page.txt');
  const before = await readFile(page, 'utf8');
  await site.slots('pause');
  await site.edit('page.txt', 'a mistake');
  await until(async () => (await site.status()).watcher.pending > 0, 'the edit to be seen');
  await site.edit('page.txt', before);
  await site.slots('resume');
  await until(async () => (await site.status()).watcher.pending === 0, 'the look at the files');
  const { last, epoch } = await site.settled();
  expect(last?.release).toBe((await site.get()).release);
  expect(epoch).toBe(1);
});

test('makes one release of a burst of edits', async () => {
  const site = await plainSite({ config: { debounceMs: 2000 } });
  await site.slots('up');
  for (let i = 0; i < 50; i++) await site.edit('page.txt', `edit ${i}`);
  await live(site, 'edit 49');
  await site.settled();
  const releases = JSON.parse((await site.slots('releases', '--json')).stdout);
  // The first one and that of the burst.
  expect(releases).toHaveLength(2);
});

test('promotes an edit that is made while another is being promoted', async () => {
  const site = await plainSite();
  await site.slots('up');
  await site.edit('page.txt', 'second');
  await until(async () => (await site.status()).promotion !== null, 'the promotion to begin');
  await site.edit('page.txt', 'third');
  await live(site, 'third');
});

test('sees files that are renamed, deleted, put in a new folder, or saved by a rename', async () => {
  const site = await plainSite();
  await site.slots('up');
  const content = join(site.root, 'src/content');
  const promoted = async (change: () => Promise<unknown>) => {
    const { epoch } = await site.settled();
    await change();
    await until(async () => (await site.status()).epoch > epoch, 'the change to be live', 30_000);
    await site.settled();
  };
  await promoted(() => writeFile(join(content, 'new.txt'), 'new'));
  await promoted(() => rename(join(content, 'new.txt'), join(content, 'renamed.txt')));
  await promoted(async () => {
    await mkdir(join(content, 'folder'));
    await writeFile(join(content, 'folder/inside.txt'), 'inside');
  });
  await promoted(() => rm(join(content, 'folder'), { recursive: true }));
  await promoted(async () => {
    await writeFile(join(content, 'page.txt~'), 'saved by a rename');
    await rename(join(content, 'page.txt~'), join(content, 'page.txt'));
  });
  expect((await site.get()).body).toBe('saved by a rename');
});

test('shows a page with Retry-After until there is a release, and the site from then on', async () => {
  const site = await plainSite({ config: { buildTimeoutMs: 3000 } });
  await site.behave({ buildHangs: true });
  const up = site.slots('up');
  await until(async () => (await site.get().catch(() => null)) !== null, 'the proxy', 30_000);
  const page = await site.get();
  expect(page.status).toBe(503);
  expect(page.headers['retry-after']).toBe('2');
  expect(page.body).toContain('The first build is running');

  const { exitCode, stderr } = await up;
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/the build was still running after 3000 ms and was killed/);
  await site.behave({});
  await until(async () => (await site.get()).status === 200, 'the first release', 30_000);
});

test('after a first build that failed, `up` builds again and visitors read what is true', async () => {
  const site = await plainSite({ config: { buildTimeoutMs: 3000 } });
  await site.behave({ buildHangs: true });
  expect(await site.slots('up')).toMatchObject({ exitCode: 1 });
  await until(async () => (await site.get()).body.includes('has failed'), 'the page to say it');

  const again = site.slots('up');
  await until(async () => (await site.get()).body.includes('is running'), 'the page to say it');
  const { exitCode, stderr } = await again;
  expect(exitCode).toBe(1);
  expect(stderr).toContain('run `slots up` again');
  const history = JSON.parse((await site.slots('history', '--json')).stdout);
  expect(history.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['failed', 'failed']);

  await site.behave({});
  expect(await site.slots('up')).toMatchObject({ exitCode: 0 });
  expect((await site.get()).status).toBe(200);
});

test('keeps edits back while paused and promotes them on resume', async () => {
  const site = await plainSite();
  await site.slots('up');
  const { body } = await site.get();
  expect(await site.slots('pause')).toMatchObject({ exitCode: 0 });
  await site.edit('page.txt', 'kept back');
  await until(async () => (await site.status()).watcher.pending > 0, 'the edit to be seen');
  expect((await site.get()).body).toBe(body);
  expect(await site.slots('resume')).toMatchObject({ exitCode: 0 });
  await live(site, 'kept back');
});

test('promotes a rename that changes nothing but the case of a letter', async () => {
  const site = await plainSite();
  await site.edit('note.txt', 'a note');
  await site.slots('up');
  const content = join(site.root, 'src/content');
  await rename(join(content, 'note.txt'), join(content, 'Note.txt'));
  await until(async () => (await site.status()).epoch === 2, 'the rename to be promoted');
  const { release } = await site.get();
  const dist = join(site.root, 'slots/releases', release as string, 'dist');
  expect(await readFile(join(dist, 'Note.txt'), 'utf8')).toBe('a note');
  await expect(readFile(join(dist, 'note.txt'))).rejects.toThrow('ENOENT');
});

test('promotes no edit of which the build writes the same again, says so, and does not build it at the next start', async () => {
  const site = await plainSite({ config: { watch: ['src'] } });
  await site.slots('up');
  await site.edit('../notes.txt', 'for the author alone');
  await until(async () => (await site.status()).watcher.note, 'the edit to be dropped');
  expect(await site.settled()).toMatchObject({ epoch: 1, last: { outcome: 'promoted' } });
  expect((await site.slots('status')).stdout).toContain('nothing was promoted');
  expect(JSON.parse((await site.slots('releases', '--json')).stdout)).toHaveLength(1);

  await site.slots('down');
  await site.slots('up');
  expect(await site.settled()).toMatchObject({ last: { outcome: 'promoted' } });
  expect(JSON.parse((await site.slots('releases', '--json')).stdout)).toHaveLength(1);

  await site.edit('page.txt', 'seen');
  await live(site, 'seen');
  // An order by name is carried out, whatever comes of it.
  await site.settled();
  expect((await site.slots('promote', '--wait')).stdout).toMatch(/is live/);
  expect((await site.status()).epoch).toBe(3);
});

test('promotes an edit of a file that the site reads while it runs, even if the build writes the same again', async () => {
  const site = await plainSite({
    config: { watch: ['src'], env: { READ_AT_START: 'src/banner.txt' } },
  });
  await site.edit('../banner.txt', 'first');
  await site.slots('up');
  expect((await site.get('/read')).body).toBe('first');
  await site.edit('../banner.txt', 'second');
  await until(
    async () => (await site.get('/read')).body === 'second',
    'the edit to be live',
    30_000,
  );
  expect((await site.settled()).epoch).toBe(2);
});
