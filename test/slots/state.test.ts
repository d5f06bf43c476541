import { spawn } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  writeFile,
} from 'node:fs/promises';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import {
  EMPTY_STATE,
  readState,
  type State,
  setStateAside,
  writeState,
} from '../../src/slots/state.ts';
import { releaseIdOf, tempSite } from '../support/temp-site.ts';

const RUNNING: State = {
  ...EMPTY_STATE,
  epoch: 7,
  active: 'green',
  slots: { blue: { release: releaseIdOf(1) }, green: { release: releaseIdOf(2) } },
  promotion: {
    id: 'a promotion',
    kind: 'build',
    trigger: 'edit',
    step: 'check',
    release: releaseIdOf(3),
    slot: 'blue',
    previous: releaseIdOf(1),
    startedAt: '2026-01-01T00:00:00.000Z',
    durationsMs: { build: 1200, start: 300 },
  },
};

function withPromotion(changes: Record<string, unknown>): string {
  return JSON.stringify({ ...RUNNING, promotion: { ...RUNNING.promotion, ...changes } });
}

async function siteWithState(text: string | Buffer) {
  const paths = await tempSite();
  await mkdir(paths.slots);
  await writeFile(paths.state, text);
  return paths;
}

test('readState gives the empty state where there is none yet', async () => {
  expect(await readState(await tempSite())).toEqual(EMPTY_STATE);
});

test('readState gives back what was written', async () => {
  const paths = await tempSite();
  await writeState(paths, RUNNING);
  expect(await readState(paths)).toEqual(RUNNING);
});

test.each([
  ['an empty file', ''],
  ['zeros, as a power cut leaves them', Buffer.alloc(300)],
  ['another version', JSON.stringify({ ...EMPTY_STATE, version: 0 })],
  ['a stage without a slot', withPromotion({ step: 'start', slot: null })],
  ['a step that does not exist', withPromotion({ step: 'bake' })],
  ['a slot that does not exist', JSON.stringify({ ...EMPTY_STATE, active: 'red' })],
  ['an epoch below zero', JSON.stringify({ ...EMPTY_STATE, epoch: -1 })],
  ['no slots', JSON.stringify({ ...EMPTY_STATE, slots: undefined })],
  ['null', 'null'],
])('readState says STATE_BAD and which file for %s', async (_name, text) => {
  const paths = await siteWithState(text);
  await expect(readState(paths)).rejects.toMatchObject({
    code: 'STATE_BAD',
    message: expect.stringContaining(paths.state),
    hint: expect.any(String),
  });
});

test('readState says STATE_BAD when a folder is in its place', async () => {
  const paths = await tempSite({ 'slots/state.json/file': '' });
  await expect(readState(paths)).rejects.toMatchObject({ code: 'STATE_BAD' });
});

test('readState takes a file cut short anywhere for bad or for whole, never for something else', async () => {
  const paths = await tempSite();
  await writeState(paths, RUNNING);
  const whole = await readFile(paths.state);
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: whole.length }), async (length) => {
      await writeFile(paths.state, whole.subarray(0, length));
      const state = await readState(paths).catch((error) => error.code);
      expect([RUNNING, 'STATE_BAD']).toContainEqual(state);
    }),
  );
});

test('writeState has the folder that holds the new name synced before it resolves', async () => {
  const paths = await tempSite();
  await writeState(paths, EMPTY_STATE);
  const folder = await open(paths.slots, 'r');
  onTestFinished(() => folder.close());
  const synced: string[] = [];
  const { sync } = Object.getPrototypeOf(folder) as FileHandle;
  vi.spyOn(Object.getPrototypeOf(folder) as FileHandle, 'sync').mockImplementation(async function (
    this: FileHandle,
  ) {
    const { epoch } = JSON.parse(readFileSync(paths.state, 'utf8'));
    synced.push(`${readlinkSync(`/proc/self/fd/${this.fd}`)} with epoch ${epoch}`);
    return sync.call(this);
  });
  onTestFinished(() => void vi.restoreAllMocks());
  await writeState(paths, { ...EMPTY_STATE, epoch: 77 });
  expect(synced.at(-1)).toBe(`${await realpath(paths.slots)} with epoch 77`);
});

test('writeState leaves no other file behind', async () => {
  const paths = await tempSite();
  await writeState(paths, EMPTY_STATE);
  await writeState(paths, RUNNING);
  expect(await readdir(paths.slots)).toEqual(['state.json']);
});

test('writeState never lets a reader find less than a whole state', async () => {
  const paths = await tempSite();
  await writeState(paths, { ...RUNNING, epoch: 0 });
  let writing = true;
  const epochs = new Set<number>();
  const reader = (async () => {
    while (writing) epochs.add((await readState(paths)).epoch);
  })();
  for (let epoch = 1; epoch <= 50; epoch++) await writeState(paths, { ...RUNNING, epoch });
  writing = false;
  await reader;
  expect(epochs.size).toBeGreaterThan(1);
});

test('writeState leaves a whole state when its process is killed in the middle of writing', async () => {
  const paths = await tempSite();
  for (let round = 1; round <= 3; round++) {
    const before = (await readState(paths)).epoch;
    const epoch = await writeUntilKilled(paths.root, round * 10);
    const after = await readState(paths);
    expect(after.epoch).toBeGreaterThanOrEqual(Math.max(before, epoch));
  }
});

/** Kills a process that writes states as fast as it can; returns the last epoch that it said was on disk. */
async function writeUntilKilled(root: string, writes: number): Promise<number> {
  const modules = new URL('../../src/slots/', import.meta.url);
  const writer = spawn(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { readState, writeState } from '${modules}state.ts';
     import { sitePaths } from '${modules}paths.ts';
     import { writeSync } from 'node:fs';
     const paths = sitePaths(${JSON.stringify(root)});
     let state = await readState(paths);
     for (;;) {
       state = { ...state, epoch: state.epoch + 1 };
       await writeState(paths, state);
       writeSync(1, state.epoch + '\\n');
     }`,
  ]);
  onTestFinished(() => void writer.kill('SIGKILL'));
  let epoch = 0;
  let lines = 0;
  for await (const line of createInterface({ input: writer.stdout })) {
    epoch = Number(line);
    if (++lines === writes) writer.kill('SIGKILL');
  }
  expect(lines).toBeGreaterThanOrEqual(writes);
  return epoch;
}

test('setStateAside keeps the bad file under a name that says when', async () => {
  const paths = await siteWithState('{"half');
  const aside = await setStateAside(paths, new Date('2026-03-04T05:06:07.890Z'));
  expect(aside).toBe(`${paths.state}.bad-2026-03-04T05-06-07-890Z`);
  expect(await readFile(aside, 'utf8')).toBe('{"half');
  expect(await readState(paths)).toEqual(EMPTY_STATE);
});
