/** Row 7: what slots/ holds is damaged, gone or not ours. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Status } from '../../../src/controller/admin/status.ts';
import { otherSlot } from '../../../src/slots/slot.ts';
import { startLoad } from '../../support/load.ts';
import { signalProcess } from '../../support/processes.ts';
import { until } from '../../support/until.ts';
import { killOne, pidOf, untilControllerAfter } from '../fault-site.ts';
import { expectGoodEdit, type HostileSite, hostileSite } from '../hostile-site.ts';
import { recordFault, times } from '../table.ts';

const run = promisify(execFile);

let hostile: HostileSite;

beforeAll(async () => {
  hostile = await hostileSite({ diskMebibytes: 16 });
  // PM2 doubles its patience with each death, and here the controller dies by our hand again and again.
  hostile.site.env.EXP_BACKOFF_RESET_TIMER = '100';
});
afterAll(() => hostile?.dispose());

const slotsFile = (name: string) => join(hostile.site.root, 'slots', name);

async function controllerLog(): Promise<string> {
  const { site } = hostile;
  return readFile(
    join(site.env.PM2_HOME as string, 'logs', `${site.name}-watcher-out.log`),
    'utf8',
  );
}

/** Settled, with no fail-over of an earlier test under way: it would turn active and standby round meanwhile. */
function atRest(): Promise<Status> {
  return until(
    async () => {
      const status = await hostile.site.settled(60_000);
      const { blue, green } = status.slots;
      const well = [blue, green].every(({ release, healthy }) => release === null || healthy);
      return well && status.failedOverFrom === undefined && status;
    },
    'both slots to be well',
    60_000,
  );
}

/** Does the damage while no controller runs, and waits for the next one; no visitor may notice. */
async function expectSafeStart(
  fault: string,
  damage: (before: Status) => Promise<unknown>,
): Promise<Status> {
  const { site } = hostile;
  const before = await atRest();
  const load = startLoad(site.origin, { keepAlive: 3, fresh: 2, pauseMs: 20 });
  const pid = await killOne(site, 'watcher');
  await damage(before);
  const started = performance.now();
  await untilControllerAfter(site, pid);
  const after = await site.settled(60_000);
  const recoveryMs = [performance.now() - started];
  const { requests, failed, failures } = await load.stop();
  recordFault({ row: 7, fault, injected: 1, requests, failed, editsLost: 0, recoveryMs });
  expect(failures).toEqual([]);
  return after;
}

const badFiles = async (file: string) =>
  (await readdir(slotsFile('.'))).filter((name) => name.startsWith(`${file}.bad-`));

const BAD_STATES: [what: string, text: (good: string) => string][] = [
  ['truncated', (good) => good.slice(0, good.length / 2)],
  ['garbage', () => '\0\u0001garbage\n{'],
  ['empty', () => ''],
  ['of another version', (good) => good.replace('"version": 2', '"version": 99')],
  ['one with a path for a release', (good) => good.replaceAll(/"r2[^"]*"/g, '"../../../etc"')],
];

test.each(BAD_STATES.slice(0, times(2, BAD_STATES.length)))(
  'state.json is %s: what serves goes on serving, and the file is set aside',
  async (what, text) => {
    const { site } = hostile;
    const before = await site.settled();
    const earlier = await badFiles('state.json');
    const bad = text(await readFile(slotsFile('state.json'), 'utf8'));
    const after = await expectSafeStart(`state.json is ${what}`, () =>
      writeFile(slotsFile('state.json'), bad),
    );
    expect(after.active).toBe(before.active);
    for (const slot of ['blue', 'green'] as const) {
      expect(after.slots[slot].release).toBe(before.slots[slot].release);
    }
    const [aside = ''] = (await badFiles('state.json')).filter((name) => !earlier.includes(name));
    expect(await readFile(slotsFile(aside), 'utf8')).toBe(bad);
    expect(await controllerLog()).toContain(aside);
  },
);

const BAD_HISTORIES: [what: string, damage: (file: string) => Promise<unknown>][] = [
  ['garbage', (file) => writeFile(file, 'garbage\n')],
  ['truncated', async (file) => writeFile(file, (await readFile(file)).subarray(0, -9))],
  ['a folder', (file) => rm(file).then(() => mkdir(file))],
];

test.each(BAD_HISTORIES.slice(0, times(1, BAD_HISTORIES.length)))(
  'history.jsonl is %s: it is set aside, and the next promotion is told in it',
  async (what, damage) => {
    const { site } = hostile;
    const earlier = await badFiles('history.jsonl');
    await expectSafeStart(`history.jsonl is ${what}`, () => damage(slotsFile('history.jsonl')));
    const [aside = 'none'] = (await badFiles('history.jsonl')).filter((n) => !earlier.includes(n));
    expect(await controllerLog()).toContain(aside);
    expect(await site.slots('promote', '--wait')).toMatchObject({ exitCode: 0 });
    const history = JSON.parse((await site.slots('history', '--json')).stdout);
    expect(history.at(-1)).toMatchObject({ outcome: 'promoted', trigger: 'promote' });
  },
);

const BAD_LINKS: [what: string, target: string | null][] = [
  ['dangling', 'releases/r20990101T000000-abcdef'],
  ['missing', null],
  ['pointing outside', '/etc'],
];

test.each(BAD_LINKS.slice(0, times(2, BAD_LINKS.length)))(
  'both symlinks are %s while instances die: they are put back, and so are the instances',
  async (what, target) => {
    const { site } = hostile;
    const before = await site.settled();
    const load = startLoad(site.origin, { fresh: 2, pauseMs: 30 });
    for (const slot of ['blue', 'green']) {
      await rm(slotsFile(slot));
      if (target) await symlink(target, slotsFile(slot));
    }
    const started = performance.now();
    const controller = await pidOf(site, 'watcher');
    signalProcess(controller, 'SIGSTOP');
    const pm2Log = () => readFile(join(site.env.PM2_HOME as string, 'pm2.log'), 'utf8');
    const { length } = await pm2Log();
    const killed = await killOne(site, before.active);
    const inVain = new RegExp(`${before.active}:\\d+\\] exited with code \\[(78|1)\\]`);
    await until(async () => inVain.test((await pm2Log()).slice(length)), 'a vain start', 30_000);
    signalProcess(controller, 'SIGCONT');
    const { blue, green } = before.slots;
    const right = `releases/${blue.release},releases/${green.release}`;
    const targets = () => Promise.all(['blue', 'green'].map((slot) => readlink(slotsFile(slot))));
    await until(async () => (await targets()).join() === right, 'the links to be right', 30_000);
    await until(
      async () => {
        const { instances } = (await site.status()).slots[before.active];
        const online = instances.filter(({ status, pid }) => status === 'online' && pid !== killed);
        return online.length === 2;
      },
      'the instance to be back',
      30_000,
    );
    const recoveryMs = [performance.now() - started];
    const { requests, failed, failures } = await load.stop();
    const fault = `symlinks ${what}, an instance dies`;
    recordFault({
      row: 7,
      fault,
      injected: 1,
      requests,
      failed,
      allowed: 2,
      editsLost: 0,
      recoveryMs,
    });
    expect(failed, failures.join('\n')).toBeLessThanOrEqual(2);
  },
);

test("the standby's release is deleted: it is no standby any more, and the next edit makes one", async () => {
  const { site } = hostile;
  const after = await expectSafeStart("the standby's release is deleted", async (before) => {
    const { release } = before.slots[otherSlot(before.active)];
    await rm(slotsFile(`releases/${release}`), { recursive: true });
  });
  expect(after.slots[otherSlot(after.active)]).toMatchObject({ role: 'down', release: null });
  const back = await site.slots('rollback');
  expect(back).toMatchObject({ exitCode: 1 });
  expect(back.stderr).toContain('there is no standby to roll back to');
  await expectGoodEdit(site, 20);
  await expectGoodEdit(site, 21);
  expect(await site.slots('rollback')).toMatchObject({ exitCode: 0 });
  expect(await site.slots('resume')).toMatchObject({ exitCode: 0 });
  await expectGoodEdit(site, 22);
});

test('the active release is deleted while it serves: it serves on, and is built again', async () => {
  const { site } = hostile;
  const { body } = await site.get();
  let gone: string | null = null;
  await expectSafeStart('the active release is deleted', async (before) => {
    gone = before.slots[before.active].release;
    await rm(slotsFile(`releases/${gone}`), { recursive: true });
  });
  expect(await controllerLog()).toContain(`${gone} is gone from the disk`);
  await until(async () => (await site.get()).release !== gone, 'a new release', 30_000);
  expect((await site.get()).body).toBe(body);
  const { active, slots, last } = await site.settled(60_000);
  expect(last).toMatchObject({ outcome: 'promoted' });
  expect(slots[active].release).toBe((await site.get()).release);
  await expectGoodEdit(site, 23);
});

test('slots/ becomes read-only: visitors notice nothing, and the edit is live once it is not', async ({
  skip,
}) => {
  const { site, noDisk } = hostile;
  if (noDisk !== null) skip(noDisk);
  const before = await site.settled();
  const load = startLoad(site.origin, { keepAlive: 3, fresh: 2, pauseMs: 20 });
  await run('mount', ['-o', 'remount,ro', slotsFile('.')]);
  await site.edit('page.txt', 'edited while nothing could be written');
  await until(
    async () => (await controllerLog()).includes('cannot write state.json: EROFS'),
    'the reason in the log',
    30_000,
  );
  expect((await site.get()).release).toBe(before.slots[before.active].release);
  await run('mount', ['-o', 'remount,rw', slotsFile('.')]);
  const started = performance.now();
  await until(
    async () => (await site.get()).body === 'edited while nothing could be written',
    'the edit',
    60_000,
  );
  const recoveryMs = [performance.now() - started];
  const { requests, failed, failures } = await load.stop();
  const fault = 'slots/ is read-only for a while';
  recordFault({ row: 7, fault, injected: 1, requests, failed, editsLost: 0, recoveryMs });
  expect(failures).toEqual([]);
  expect(await controllerLog()).not.toMatch(/^\s+at /m);
  // A controller that PM2 has just begun to start would meet the end of the test.
  signalProcess(await pidOf(site, 'watcher'), 'SIGCONT');
});
