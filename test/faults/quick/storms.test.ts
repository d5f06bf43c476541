/** Row 9: more changes at once than anybody makes by hand. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLoad } from '../../support/load.ts';
import { readMemory } from '../../support/memory.ts';
import { until } from '../../support/until.ts';
import { pidOf } from '../fault-site.ts';
import { type HostileSite, hostileSite } from '../hostile-site.ts';
import { longTest } from '../long-test.ts';
import { recordFault } from '../table.ts';

const run = promisify(execFile);
const MEBIBYTE = 1024 * 1024;

let hostile: HostileSite;

beforeAll(async () => {
  hostile = await hostileSite({ config: { debounceMs: 300 } });
  await run('git', ['init', '--quiet'], { cwd: hostile.site.root });
});
afterAll(() => hostile?.dispose());

const content = (path: string) => join(hostile.site.root, 'src/content', path);

async function history(): Promise<{ outcome: string; trigger: string }[]> {
  return JSON.parse((await hostile.site.slots('history', '--json', '-n', '500')).stdout);
}

/** A burst ends with this page, and may take two builds at most; no visitor may notice. */
async function expectFewBuilds(fault: string, page: string, storm: () => Promise<void>) {
  const { site } = hostile;
  await site.settled(60_000);
  const before = (await history()).length;
  const pid = await pidOf(site, 'watcher');
  const memory = readMemory(pid);
  const load = startLoad(site.origin, { keepAlive: 2, fresh: 1, pauseMs: 50 });
  await storm();
  const started = performance.now();
  await until(async () => (await site.get()).body === page, 'the last state to be live', 60_000);
  await site.settled(60_000);
  const recoveryMs = [performance.now() - started];
  const { requests, failed, failures } = await load.stop();
  recordFault({ row: 9, fault, injected: 1, requests, failed, editsLost: 0, recoveryMs });
  expect(failures).toEqual([]);
  const built = (await history()).slice(before);
  expect(built.map(({ outcome }) => outcome)).toEqual(built.map(() => 'promoted'));
  expect(built.length).toBeGreaterThan(0);
  expect(built.length).toBeLessThanOrEqual(2);
  expect(readMemory(pid).bytes - memory.bytes).toBeLessThan(100 * MEBIBYTE);
  expect(await pidOf(site, 'watcher')).toBe(pid);
}

test('5 000 changes in a second', async () => {
  for (let folder = 0; folder < 10; folder++) {
    await mkdir(content(`storm/${folder}`), { recursive: true });
  }
  await expectFewBuilds('5 000 changes at once', 'after the storm', async () => {
    for (let round = 0; round < 5; round++) {
      const files = Array.from({ length: 1000 }, (_, file) => `storm/${file % 10}/${file}.md`);
      await Promise.all(files.map((file) => writeFile(content(file), `${round} ${file}`)));
    }
    await writeFile(content('page.txt'), 'after the storm');
  });
});

longTest('git checkout between branches with 2 000 files, there and back', async () => {
  const { root } = hostile.site;
  await writeFile(join(root, '.gitignore'), 'slots/\nnode_modules\n');
  const git = (...args: string[]) =>
    run('git', ['-c', 'user.name=x', '-c', 'user.email=x@x', ...args], { cwd: root });
  await rm(content('storm'), { recursive: true, force: true });
  await writeFile(content('page.txt'), 'on one');
  await git('checkout', '--quiet', '-b', 'one');
  await git('add', '.');
  await git('commit', '--quiet', '-m', 'one');
  await git('checkout', '--quiet', '-b', 'two');
  await mkdir(content('posts'));
  for (let file = 0; file < 2000; file++) await writeFile(content(`posts/${file}.md`), `${file}`);
  await writeFile(content('page.txt'), 'on two');
  await git('add', '.');
  await git('commit', '--quiet', '-m', 'two');
  await until(async () => (await hostile.site.get()).body === 'on two', 'two', 60_000);

  for (const branch of ['one', 'two', 'one']) {
    await expectFewBuilds(`git checkout of 2 000 files (${branch})`, `on ${branch}`, async () => {
      await git('checkout', '--quiet', branch);
    });
  }
  const releases = JSON.parse((await hostile.site.slots('releases', '--json')).stdout);
  const { stdout } = await git('rev-parse', 'one');
  expect(releases[0].commit).toBe(stdout.trim());
});

test('a watched folder is moved away and put back, and edits in it are seen after', async () => {
  const folder = content('.');
  const away = `${hostile.site.root}/away`;
  // At once, and with another content when it comes back.
  await expectFewBuilds('watched folder removed and put back', 'put back', async () => {
    await rename(folder, away);
    await writeFile(join(away, 'page.txt'), 'put back');
    await rename(away, folder);
  });
  await expectFewBuilds('edit in a folder that was put back', 'edited after', () =>
    writeFile(content('page.txt'), 'edited after'),
  );
});

longTest('a touch, an undo and a rename there and back build nothing', async () => {
  const { site } = hostile;
  await site.settled(60_000);
  const before = (await history()).length;
  const page = await readFile(content('page.txt'));
  await writeFile(content('page.txt'), page);
  await rename(content('page.txt'), content('other.txt'));
  await rename(content('other.txt'), content('page.txt'));
  await until(async () => (await site.status()).watcher.pending === 0, 'the look', 30_000);
  await site.settled(60_000);
  expect((await history()).length).toBe(before);
});
