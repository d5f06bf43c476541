/** Row 5: builds that fail in every way that a build can. */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readMemory } from '../../support/memory.ts';
import { processesWith } from '../../support/processes.ts';
import {
  expectGoodEdit,
  expectHarmlessFailure,
  GOOD_BUILD,
  type HostileSite,
  hostileSite,
} from '../hostile-site.ts';

const MEBIBYTE = 1024 * 1024;
const DISK_MEBIBYTES = 48;

let hostile: HostileSite;

beforeAll(async () => {
  hostile = await hostileSite({
    diskMebibytes: DISK_MEBIBYTES,
    config: { buildTimeoutMs: 6000, health: { deadlineMs: 10_000 } },
  });
});
afterAll(() => hostile?.dispose());

const CASES: [fault: string, stage: string, script: string, error: RegExp][] = [
  [
    'build exits with 1',
    'build',
    'echo building; echo "Error: no title in a.md" >&2; exit 1',
    /^the build exited with code 1: Error: no title in a\.md$/,
  ],
  [
    'build crashes by a signal',
    'build',
    'kill -SEGV $$',
    /^the build was ended by SIGSEGV|code 139/,
  ],
  [
    'build hangs with grandchildren',
    'build',
    "sh -c 'setsid sleep 1000 & sleep 1000' & sleep 1000",
    /^the build was still running after 6000 ms and was killed; raise "buildTimeoutMs"/,
  ],
  [
    'build writes outside its folder',
    'build',
    'echo x > "$1/../../stray"; mkdir "$1/../../evil"; echo x > stray; exit 1',
    /^the build exited with code 1$/,
  ],
  [
    'build deletes its own output',
    'build',
    `${GOOD_BUILD}; rm -r "$1"`,
    /wrote nothing to its output folder/,
  ],
  [
    'build deletes all of its release',
    'build',
    `${GOOD_BUILD}; rm -r "$(dirname "$1")"`,
    /wrote nothing to its output folder/,
  ],
  [
    'build makes no entry',
    'build',
    `${GOOD_BUILD}; rm "$1/server.mjs"`,
    /^the build succeeded but wrote no server\.mjs; set "entry" to the server's file; the output has /,
  ],
  [
    'entry throws',
    'start',
    `${GOOD_BUILD}; echo 'throw new Error("no database")' > "$1/server.mjs"`,
    /^the candidate crashed at start: Error: no database$/,
  ],
];

test.each(CASES)('%s: nobody notices, and status says why', async (fault, stage, script, error) => {
  const { site, diskBytes } = hostile;
  const before = await diskBytes();
  await expectHarmlessFailure(site, { row: 5, fault, stage, error }, () =>
    site.edit('build.sh', script),
  );
  expect((await diskBytes()) - before).toBeLessThan(MEBIBYTE);
  const left = await processesWith([`SLOTS_OUT_DIR=${site.root}/`]);
  expect(left.map(({ command }) => command)).toEqual([]);
});

test('build prints 100 MB in one line: memory and log stay small', async () => {
  const { site, diskBytes } = hostile;
  const [pid = 0] = (await site.pids()).watcher;
  const memory = readMemory(pid);
  const script = "head -c 100000000 /dev/zero | tr '\\0' x; echo; echo 'Error: at last'; exit 1";
  await expectHarmlessFailure(
    site,
    { row: 5, fault: 'build prints 100 MB', stage: 'build', error: /code 1: Error: at last$/ },
    () => site.edit('build.sh', script),
  );
  expect(readMemory(pid).peakBytes - memory.peakBytes).toBeLessThan(150 * MEBIBYTE);
  const log = await stat(join(site.root, 'slots/failed-build.log'));
  expect(log.size).toBeLessThan(20 * MEBIBYTE);
  expect(await diskBytes()).toBeLessThan(30 * MEBIBYTE);
});

test('build fills the disk: the disk is given back', async ({ skip }) => {
  const { site, noDisk, diskBytes } = hostile;
  if (noDisk !== null) skip(noDisk);
  const before = await diskBytes();
  await expectHarmlessFailure(
    site,
    { row: 5, fault: 'build fills the disk', stage: 'build', error: /No space left on device/ },
    () => site.edit('build.sh', `${GOOD_BUILD}; cat /dev/zero > "$1/big"`),
  );
  expect(await diskBytes()).toBeLessThanOrEqual(before + MEBIBYTE);
});

test('build fills the disk with what it prints: the disk is given back', async ({ skip }) => {
  const { site, noDisk } = hostile;
  if (noDisk !== null) skip(noDisk);
  const { root } = site;
  await rm(join(root, 'slots/failed-build.log'), { force: true });
  await expectHarmlessFailure(
    site,
    { row: 5, fault: 'build prints on a full disk', stage: 'build', error: /^the build .+/ },
    () => site.edit('build.sh', 'cat /dev/zero > "$1/big"; yes | head -n 100000; exit 1'),
  );
  expect(JSON.parse(await readFile(join(root, 'slots/state.json'), 'utf8')).promotion).toBeNull();
});

test('after all of that the next good edit is live, and nothing else is left', async () => {
  const { site } = hostile;
  await expectGoodEdit(site, 99);
  const names = await readdir(join(site.root, 'slots'), { recursive: true });
  expect(names.filter((name) => /\.partial|\.json\.\d|\/?\.(blue|green)-/.test(name))).toEqual([]);
  const history = await site.slots('history', '--json', '-n', '100');
  const outcomes = JSON.parse(history.stdout).map(({ outcome }: { outcome: string }) => outcome);
  expect(outcomes.filter((outcome: string) => outcome === 'failed').length).toBeGreaterThan(8);
});
