import { expect, test } from 'vitest';
import { createPurges } from '../../../src/controller/workers/purges.ts';
import { MAX_LINE_BYTES, type ToWorker } from '../../../src/wire/messages.ts';

type Sent = Extract<ToWorker, { type: 'purge' }>;

/** A worker that forgets two answers at each word. */
function worker(purges: () => ReturnType<typeof createPurges>) {
  const sent: Sent[] = [];
  const send = (message: ToWorker) => {
    sent.push(message as Sent);
    queueMicrotask(() => purges().receive({ type: 'purged', id: (message as Sent).id, urls: 2 }));
  };
  return { sent, send };
}

function setUp(now: () => number = Date.now) {
  const purges = createPurges(50, now);
  return { purges, one: worker(() => purges), other: worker(() => purges) };
}

test('every worker is told, and what they have forgotten is counted together', async () => {
  const { purges, one, other } = setUp();
  expect(await purges.order({ paths: ['/a'], tags: [] }, [one.send, other.send])).toBe(4);
  expect(one.sent).toEqual([{ type: 'purge', id: expect.any(Number), paths: ['/a'] }]);
  expect(other.sent).toHaveLength(1);
});

test('paths and tags come in messages of their own, so that an older worker forgets too much rather than too little', async () => {
  const { purges, one } = setUp();
  expect(await purges.order({ paths: ['/a'], tags: ['post'] }, [one.send])).toBe(4);
  expect(one.sent.map(({ paths, tags }) => ({ paths, tags }))).toEqual([
    { paths: ['/a'], tags: undefined },
    { paths: [], tags: ['post'] },
  ]);
});

test('everything is forgotten by a message without paths and tags', async () => {
  const { purges, one } = setUp();
  await purges.order({ paths: [], tags: [] }, [one.send]);
  expect(one.sent).toEqual([{ type: 'purge', id: expect.any(Number), paths: [] }]);
});

test('the most and longest paths that may come at once are cut into lines that a worker takes', async () => {
  const { purges, one } = setUp();
  const paths = Array.from({ length: 100 }, (_, n) => `/${n}${'\u0001'.repeat(2040)}`);
  await purges.order({ paths, tags: [] }, [one.send]);
  expect(one.sent.flatMap((message) => message.paths)).toEqual(paths);
  for (const message of one.sent)
    expect(JSON.stringify(message).length).toBeLessThan(MAX_LINE_BYTES);
});

test('a worker that does not answer is waited for no longer than its patience', async () => {
  const { purges } = setUp();
  expect(await purges.order({ paths: [], tags: [] }, [() => {}])).toBe(0);
});

test('a worker that comes back is told what was forgotten within a minute', async () => {
  let now = 0;
  const { purges, one } = setUp(() => now);
  await purges.order({ paths: [], tags: ['early'] }, []);
  now = 30_000;
  await purges.order({ paths: ['/late'], tags: [] }, []);
  now = 65_000;
  purges.repeat(one.send);
  expect(one.sent).toEqual([{ type: 'purge', id: expect.any(Number), paths: ['/late'] }]);
});
