import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  afterBegin,
  afterEnd,
  type Decision,
  decide,
  emptyMemory,
  forgetAttempt,
  type LiveRelease,
  type Look,
  MAX_SELF_MADE,
  MAX_SELF_MADE_BY_OTHERS,
  type Memory,
  SITE_QUIET_MS,
  type SourceState,
} from '../../../src/controller/source/decide.ts';

/** Files by path; the number after the colon says how often it was written with these bytes. */
function source(files: Record<string, string>): SourceState {
  const byPath = new Map(
    Object.entries(files).map(([path, text]) => [
      path,
      { stamp: text, digest: text.split(':')[0] as string },
    ]),
  );
  const list = (by: 'stamp' | 'digest') =>
    JSON.stringify([...byPath].map(([path, file]) => [path, file[by]]));
  return { hash: list('digest'), stamp: list('stamp'), byPath };
}

const NOBODY = { siteWrites: new Set<string>(), now: 0 };

const look = (found: SourceState, more: Partial<Look> = {}): Look => ({
  trigger: 'edit',
  source: found,
  live: null,
  ...NOBODY,
  ...more,
});

const liveOf = (built: SourceState, more: Partial<LiveRelease> = {}): LiveRelease => ({
  sourceHash: built.hash,
  unsettled: false,
  trigger: 'edit',
  ...more,
});

/** A build that reads one source and leaves another behind. */
function build(memory: Memory, read: SourceState, left: SourceState = read, by = NOBODY) {
  return afterEnd(afterBegin(memory, read, by), left);
}

const NEVER_LIVE: Decision = { build: 'changed' };

const one = source({ 'a.md': 'one' });
const two = source({ 'a.md': 'two' });
const failed = build(emptyMemory(), two).memory;

test.each<[string, Memory, Look, Decision]>([
  ['is built when there is no release yet', emptyMemory(), look(one), { build: 'changed' }],
  [
    'is built when visitors see something else',
    emptyMemory(),
    look(two, { live: liveOf(one) }),
    { build: 'changed' },
  ],
  [
    'is not built when visitors see it: a touch, an undo',
    emptyMemory(),
    look(one, { live: liveOf(one) }),
    { build: null, why: 'live' },
  ],
  [
    'is not built when it differs from what is live only by what the build wrote',
    emptyMemory(),
    look(two, { live: liveOf(one, { sourceHashAfter: two.hash }) }),
    { build: null, why: 'live' },
  ],
  [
    'that failed is not built again',
    failed,
    look(two, { live: liveOf(one) }),
    { build: null, why: 'failed' },
  ],
  [
    'that failed is built when somebody resumes or starts the controller',
    failed,
    look(two, { trigger: 'resume', live: liveOf(one) }),
    { build: 'changed' },
  ],
  [
    'that failed is built again once nothing counts as failed any more',
    forgetAttempt(failed),
    look(two, { live: liveOf(one) }),
    { build: 'changed' },
  ],
  [
    'put back while a build read it is built again, since nobody knows what is inside',
    emptyMemory(),
    look(one, { live: liveOf(one, { unsettled: true }) }),
    { build: 'unsettled' },
  ],
  [
    'put back while a build read it is built again only once',
    emptyMemory(),
    look(one, { live: liveOf(one, { unsettled: true, trigger: 'unsettled' }) }),
    { build: null, why: 'live' },
  ],
])('an edit: %s', (_name, memory, asked, decision) => {
  expect(decide(memory, asked)).toEqual(decision);
});

test('an edit made while a failing build read is tried again, and only once', () => {
  const during = build(emptyMemory(), one, two).memory;
  expect(decide(during, look(two))).toEqual({ build: 'changed' });
  const again = build(during, two).memory;
  expect(decide(again, look(two))).toEqual({ build: null, why: 'failed' });
});

test('a build that writes what is watched: the same bytes each time is known by its second build, and starts none from then on', () => {
  const first = build(emptyMemory(), source({ 'a.md': 'a' }), source({ 'a.md': 'a', tags: 't:1' }));
  expect(first).toMatchObject({ unsettled: true, learnt: [] });
  const second = build(
    first.memory,
    source({ 'a.md': 'a', tags: 't:1' }),
    source({ 'a.md': 'a', tags: 't:2' }),
  );
  expect(second).toMatchObject({ unsettled: false, learnt: ['tags'] });

  const edited = source({ 'a.md': 'b', tags: 't:2' });
  const left = source({ 'a.md': 'b', tags: 'u:3' });
  const third = build(second.memory, edited, left);
  expect(third).toMatchObject({ unsettled: false, learnt: [], sourceHashAfter: left.hash });
  const live = liveOf(edited, { sourceHashAfter: third.sourceHashAfter });
  expect(decide(third.memory, look(left, { live }))).toEqual({ build: null, why: 'live' });
});

test('a build that writes what is watched: other bytes each time is known by its third build, and starts no fourth', () => {
  let memory = emptyMemory();
  for (let turn = 0; turn < MAX_SELF_MADE; turn++) {
    const read = source({ time: `${turn}` });
    const left = source({ time: `${turn + 1}` });
    expect(decide(memory, look(read))).toEqual({ build: 'changed' });
    const ended = build(memory, read, left);
    memory = ended.memory;
    expect(ended.learnt).toEqual(turn === MAX_SELF_MADE - 1 ? ['time'] : []);
  }
  const left = source({ time: `${MAX_SELF_MADE}` });
  const live = liveOf(source({ time: '2' }), { sourceHashAfter: left.hash });
  expect(decide(memory, look(left, { live }))).toEqual({ build: null, why: 'live' });
});

test('a build that writes what is watched: into a new file each time is stopped after three, by the names of the files', () => {
  let memory = emptyMemory();
  let files: Record<string, string> = {};
  for (let turn = 0; turn < MAX_SELF_MADE; turn++) {
    const read = source(files);
    expect(decide(memory, look(read))).toEqual({ build: 'changed' });
    files = { ...files, [`log-${turn}`]: 'x' };
    memory = build(memory, read, source(files)).memory;
  }
  expect(decide(memory, look(source(files), { live: liveOf(source({})) }))).toEqual({
    build: null,
    why: 'self-made',
    by: 'build',
    files: ['log-2'],
  });
  const edited = source({ ...files, 'a.md': 'an edit' });
  expect(decide(memory, look(edited))).toEqual({ build: 'changed' });
});

test('a build that writes what is watched and fails is not started again by what it wrote, once that is known', () => {
  const memory = emptyMemory(['tags']);
  const { memory: after } = build(memory, source({ tags: '1' }), source({ tags: '2' }));
  expect(decide(after, look(source({ tags: '2' })))).toEqual({ build: null, why: 'failed' });
});

test('a build that writes what is watched is not suspected of what a person has saved between two builds', () => {
  let memory = emptyMemory();
  for (let turn = 0; turn < 6; turn++) {
    const read = source({ 'a.md': `saved ${turn}` });
    const ended = build(memory, read, source({ 'a.md': `saved ${turn} and during the build` }));
    expect(ended).toMatchObject({ unsettled: true, learnt: [] });
    memory = ended.memory;
  }
});

test('a build that writes what is watched is forgotten to have written a file that somebody else writes', () => {
  const memory = build(emptyMemory(['tags']), source({ tags: '1' }), source({ tags: '2' })).memory;
  const begun = afterBegin(memory, source({ tags: 'by hand' }), NOBODY);
  expect(begun.written.has('tags')).toBe(false);
  expect(decide(memory, look(source({ tags: 'by hand' })))).toEqual({ build: 'changed' });
});

const bySite = { siteWrites: new Set(['count']), now: 0 };
const count = (value: number, more = {}) => source({ 'a.md': 'a', ...more, count: `${value}` });

/** As many builds as are decided for while the site goes on counting. */
function run(from: Memory, first: number, now: number) {
  let memory = from;
  let builds = 0;
  for (let value = first; value < first + 20; value++) {
    const asked = look(count(value), { ...bySite, now, live: liveOf(count(value - 1)) });
    if (decide(memory, asked).build === null) continue;
    builds++;
    memory = build(memory, count(value), count(value), { ...bySite, now }).memory;
  }
  return { memory, builds };
}

const started = build(emptyMemory(), count(0)).memory;

test('a site that writes what is watched starts three promotions and is stopped then, by the name of the file', () => {
  const { memory, builds } = run(started, 1, 0);
  expect(builds).toBe(MAX_SELF_MADE);
  expect(decide(memory, look(count(99), bySite))).toEqual({
    build: null,
    why: 'self-made',
    by: 'site',
    files: ['count'],
  });
});

test('a site that writes what is watched does not keep an edit from being built, and has no three more after it', () => {
  const { memory } = run(started, 1, 0);
  const edited = count(30, { 'a.md': 'edited' });
  expect(decide(memory, look(edited, bySite))).toEqual({ build: 'changed' });
  const after = build(memory, edited, edited, bySite).memory;
  const more = count(31, { 'a.md': 'edited' });
  expect(decide(after, look(more, bySite))).toMatchObject({ build: null, by: 'site' });
});

test('a site that writes what is watched may start promotions again after a long quiet: people write through sites too', () => {
  const { memory } = run(started, 1, 0);
  expect(run(memory, 40, SITE_QUIET_MS + 1).builds).toBe(MAX_SELF_MADE);
});

test('a site that writes what is watched does not stop what somebody asks for', () => {
  const { memory } = run(started, 1, 0);
  expect(decide(memory, look(count(99), { ...bySite, trigger: 'resume' }))).toEqual({
    build: 'changed',
  });
});

type Step =
  | { type: 'edit' }
  | { type: 'site writes' }
  | { type: 'build'; fails: boolean; writes: 'nothing' | 'the same' | 'other'; edited: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>({ type: 'edit' }),
  fc.constant<Step>({ type: 'site writes' }),
  fc.record({
    type: fc.constant('build' as const),
    fails: fc.boolean(),
    writes: fc.constantFrom('nothing' as const, 'the same' as const, 'other' as const),
    edited: fc.boolean(),
  }),
);

/** Writes to the site's files, with a stamp that moves each time. */
function createFiles() {
  const files: Record<string, string> = { 'a.md': '0:0', tags: 'none:0', count: '0:0' };
  let writes = 0;
  return {
    write: (path: string, text: string) => {
      files[path] = `${text}:${++writes}`;
    },
    now: () => source({ ...files }),
    text: (path: string) => files[path]?.split(':')[0],
  };
}

test('whatever edits, builds and sites do: no edit is lost: in the end it is live, or it has failed as it is', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const files = createFiles();
      // The first edit comes while no build runs, or nobody could tell it from what a build writes.
      let memory = build(emptyMemory(), files.now()).memory;
      files.write('a.md', 'first');
      let live: (LiveRelease & { text: string | undefined }) | null = null;
      let failed: string | undefined;
      let edits = 0;
      let meetings = 0;
      let now = 0;
      const by = () => ({ siteWrites: new Set(['count']), now: now++ });
      const run = (how: Extract<Step, { type: 'build' }>) => {
        const read = files.now();
        const text = files.text('a.md');
        memory = afterBegin(memory, read, by());
        meetings = how.edited ? meetings + 1 : 0;
        if (how.edited && meetings < MAX_SELF_MADE_BY_OTHERS) files.write('a.md', `${++edits}`);
        if (how.writes !== 'nothing') {
          files.write('tags', how.writes === 'other' ? `${edits}-${now}` : 'none');
        }
        const { memory: after, learnt: _, ...built } = afterEnd(memory, files.now());
        memory = after;
        if (how.fails) failed = text;
        else live = { sourceHash: read.hash, trigger: 'edit', text, ...built };
        if (!how.fails) memory = forgetAttempt(memory);
      };
      for (const each of steps) {
        if (each.type === 'edit') files.write('a.md', `${++edits}`);
        else if (each.type === 'site writes') files.write('count', `${++now}`);
        else if (decide(memory, { trigger: 'edit', source: files.now(), live, ...by() }).build) {
          run(each);
        }
      }
      // Then it is quiet, and builds do what they should.
      for (let turn = 0; turn < 8; turn++) {
        const decision = decide(memory, { trigger: 'edit', source: files.now(), live, ...by() });
        if (decision.build === null) break;
        run({ type: 'build', fails: false, writes: 'nothing', edited: false });
        expect(turn).toBeLessThan(7);
      }
      const seen = (live as { text: string | undefined } | null)?.text;
      expect([seen, failed]).toContain(files.text('a.md'));
    }),
    { numRuns: 2000 },
  );
});

test('whatever edits, builds and sites do builds that cause each other come to an end by themselves', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('tags', 'more', 'time'), { minLength: 1, maxLength: 40 }),
      (written) => {
        const files = createFiles();
        let memory = emptyMemory();
        let live: LiveRelease | null = null;
        let builds = 0;
        for (const path of written) {
          const read = files.now();
          if (decide(memory, look(read, { live })).build === null) continue;
          builds++;
          memory = afterBegin(memory, read, NOBODY);
          files.write(path, `${builds}`);
          const { memory: after, learnt: _, ...built } = afterEnd(memory, files.now());
          memory = after;
          live = { ...liveOf(read), ...built };
        }
        // Each file has to be met as often as it takes to know it; nothing else keeps a row going.
        expect(builds).toBeLessThanOrEqual(MAX_SELF_MADE);
      },
    ),
  );
});

test('a first look decides for a build', () => {
  expect(decide(emptyMemory(), look(source({})))).toEqual(NEVER_LIVE);
});
