import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { UserConfig } from '../../src/config/schema.ts';
import { plainSite } from '../support/plain-site.ts';
import { until } from '../support/until.ts';

/** The plain site, with code of its own beside its server. */
async function siteThat(code: string, config: UserConfig = {}) {
  const site = await plainSite({ config: { entry: 'writing.mjs', instances: 1, ...config } });
  await writeFile(
    join(site.root, 'server/writing.mjs'),
    `import fs from 'node:fs';\nimport './server.mjs';\n${code}\n`,
  );
  const up = await site.slots('up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  const problem = async () => (await site.status()).watcher.problem;
  const promotions = async () => JSON.parse((await site.slots('history', '--json')).stdout).length;
  return { ...site, problem, promotions };
}

test('a site that writes into a watched folder starts three promotions, and is named then', async () => {
  const site = await siteThat(
    `setInterval(() => fs.writeFileSync('src/content/count.json', String(Date.now())), 200);`,
  );
  const problem = await until(site.problem, 'the site to be named', 60_000);
  expect(problem).toMatch(/^the site itself changes what is watched \(src\/content\/count\.json\)/);
  expect((await site.slots('status')).stdout).toContain('src/content/count.json');
  await site.settled();
  expect(await site.promotions()).toBe(4);

  await site.edit('page.txt', 'an edit');
  await until(async () => (await site.get()).body === 'an edit', 'the edit to be live', 30_000);
  await until(async () => (await site.problem()) !== null, 'the site to be named again', 30_000);
  await site.settled();
  expect(await site.promotions()).toBe(5);
});

test('files that a build writes into a watched folder start no second build of an edit', async () => {
  const site = await plainSite({
    config: { build: 'node build.mjs {outDir} && ls src/content > src/content/list.txt' },
  });
  await site.slots('up');
  await until(async () => (await site.status()).watcher.problem, 'the file to be named', 60_000);
  await site.settled();
  const promotions = async () => JSON.parse((await site.slots('history', '--json')).stdout).length;
  const before = await promotions();
  for (const [index, file] of ['one.txt', 'two.txt'].entries()) {
    await site.edit(file, 'new');
    await until(async () => (await promotions()) === before + index + 1, 'the edit', 30_000);
    await until(async () => (await site.status()).watcher.pending === 0, 'the look', 30_000);
    await site.settled();
  }
  expect(await promotions()).toBe(before + 2);
  expect((await site.status()).watcher.problem).toContain('src/content/list.txt');
});

test('what a site writes into its release is said at once, with the folder to share', async () => {
  const site = await siteThat(`
    const uploads = new URL('public/uploads/', import.meta.url);
    fs.mkdirSync(uploads, { recursive: true });
    fs.writeFileSync(new URL('cat.txt', uploads), 'meow');`);
  const problem = await until(site.problem, 'it to be said', 30_000);
  expect(problem).toContain('public/uploads/cat.txt');
  expect(problem).toContain("shared: ['public/uploads']");
  expect((await site.slots('logs', 'watcher')).stdout).toContain('release.written');
});

test('what a site writes into a shared folder outlives its releases and starts no promotion', async () => {
  const site = await siteThat(
    `
    const uploads = new URL('src/content/uploads/', import.meta.url);
    fs.appendFileSync(new URL('visits.txt', uploads), 'visit\\n');`,
    { shared: ['src/content/uploads'], keep: 2 },
  );
  for (const edit of ['one', 'two', 'three']) {
    await site.edit('page.txt', edit);
    await until(async () => (await site.get()).body === edit, `${edit} to be live`, 30_000);
    await site.settled();
  }
  const visits = await readFile(join(site.root, 'src/content/uploads/visits.txt'), 'utf8');
  // Two starts for each promotion: the candidate's, and the standby's after the flip.
  expect(visits.split('visit').length - 1).toBeGreaterThanOrEqual(4);
  expect(await site.promotions()).toBe(4);
  expect(await site.problem()).toBeUndefined();
});

test('slots logs build prints all that a failed build has said, from its first line on', async () => {
  const site = await plainSite({
    config: { build: 'echo "the first line"; yes line | head -n 300; node build.mjs {outDir}' },
  });
  await site.behave({ buildExit: 3 });
  expect((await site.slots('up')).exitCode).toBe(1);
  const all = (await site.slots('logs', 'build')).stdout.trim().split('\n');
  expect(all[0]).toBe('the first line');
  expect(all).toContain('Error: told to exit with 3');
  expect(all.length).toBeGreaterThan(300);
  const last = (await site.slots('logs', 'build', '-n', '2')).stdout.trim().split('\n');
  expect(last).toHaveLength(2);
});
