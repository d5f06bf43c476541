import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { UserConfig } from '../../../src/config/schema.ts';
import type { LateCertificate } from '../../../src/controller/acme/keeper.ts';
import { createEventCounters } from '../../../src/controller/metrics/event-counters.ts';
import { announceEndings } from '../../../src/controller/notify/announce.ts';
import { createCommands } from '../../../src/controller/notify/command.ts';
import {
  afterFailure,
  afterSuccess,
  begin,
  named,
} from '../../../src/controller/promotion/machine.ts';
import { createStore } from '../../../src/controller/store.ts';
import { EMPTY_STATE } from '../../../src/slots/state.ts';
import { collectedLog } from '../../support/collected-log.ts';
import { startReceiver } from '../../support/receiver.ts';
import { tempSite } from '../../support/temp-site.ts';
import { testConfig } from '../../support/test-config.ts';
import { until } from '../../support/until.ts';

const LATE = '2026-01-01T00:00:05.000Z';

/** A site whose promotions are only values: what is announced of them is real. */
async function setUp(user: UserConfig) {
  const paths = await tempSite();
  const store = createStore(EMPTY_STATE, async () => {});
  const eventCounters = createEventCounters();
  const { log, events, lines } = collectedLog();
  const config = testConfig(user);
  let tellLate: (late: LateCertificate) => void = () => {};
  const keeper = {
    onLate(listener: typeof tellLate) {
      tellLate = listener;
    },
  };
  announceEndings({ config, paths, store, eventCounters, keeper, log });
  const start = (id: string) =>
    store.update((state) =>
      named(
        begin(state, {
          id,
          kind: 'build',
          trigger: 'edit',
          release: null,
          startedAt: '2026-01-01T00:00:00.000Z',
        }),
        `release of ${id}`,
      ),
    );
  const fail = (error: string) =>
    store.update((state) =>
      afterFailure(state, { code: 'CHECK_FAILED', message: error }, 10, LATE),
    );
  const succeed = async () => {
    while (store.state.promotion) await store.update((state) => afterSuccess(state, 10, LATE));
  };
  const read = (file: string) => readFile(join(paths.root, file), 'utf8');
  const late = (one: LateCertificate) => tellLate(one);
  const acts = { start, fail, succeed, late };
  return { store, eventCounters, events, lines, ...acts, read, paths, config, log };
}

test('the end of a promotion is told once, with what led to it', async () => {
  const { url, received } = await startReceiver(200);
  const { store, start, fail, succeed, eventCounters } = await setUp({ notify: [{ url }] });
  await start('p1');
  await fail('does not build');
  await store.update((state) => ({ ...state, paused: true }));
  await start('p2');
  await succeed();
  await until(() => received.length === 2, 'both endings');
  expect(received.map(({ body }) => body)).toMatchObject([
    {
      site: 'site',
      id: 'p1',
      outcome: 'failed',
      stage: 'build',
      error: 'does not build',
      release: 'release of p1',
      trigger: 'edit',
      startedAt: '2026-01-01T00:00:00.000Z',
      finishedAt: LATE,
    },
    { id: 'p2', outcome: 'promoted', error: null },
  ]);
  expect(eventCounters.promotions).toEqual({ promoted: 1, failed: 1, 'rolled-back': 0 });
});

test('the end of a promotion is not told again of a promotion that an earlier controller ended', async () => {
  const { url, received } = await startReceiver(200);
  const { store, start, fail, paths, config, log } = await setUp({});
  await start('p1');
  await fail('does not build');
  const next = createStore(store.state, async () => {});
  announceEndings({
    config: { ...config, notify: testConfig({ notify: [{ url }] }).notify },
    paths,
    store: next,
    eventCounters: createEventCounters(),
    keeper: null,
    log,
  });
  await next.update((state) => ({ ...state, paused: true }));
  expect(received).toEqual([]);
});

test('a certificate that could not be renewed in time is told of to those who want to know', async () => {
  const [json, slack, others] = await Promise.all(
    [200, 200, 200].map((status) => startReceiver(status)),
  );
  const { late } = await setUp({
    notify: [
      { url: json?.url ?? '' },
      { url: slack?.url ?? '', format: 'slack', on: ['certificate'] },
      { url: others?.url ?? '', on: ['failed'] },
    ],
  });
  const one = {
    id: 'ab12',
    host: 'www.example.com',
    notAfter: LATE,
    error: 'the CA says: no such host',
    hint: 'correct the DNS entries',
  };
  late(one);
  await until(() => json?.received.length === 1 && slack?.received.length === 1, 'both');
  expect(json?.received[0]?.body).toEqual({ site: 'site', outcome: 'certificate', ...one });
  expect(slack?.received[0]?.body).toEqual({
    text: `site: www.example.com has a certificate until ${LATE}, and the order of the next one failed\nthe CA says: no such host: correct the DNS entries`,
  });
  expect(others?.received).toEqual([]);
});

test('the end of a promotion never waits for a receiver that hangs', async () => {
  const { url, received } = await startReceiver(null);
  const { start, fail, store } = await setUp({ notify: [{ url }], onFailed: 'sleep 30' });
  await start('p1');
  const before = performance.now();
  await fail('does not build');
  expect(performance.now() - before).toBeLessThan(500);
  expect(store.state.promotion).toBeNull();
  await until(() => received.length > 0, 'the attempt');
});

const SHOW = 'printf "%s|" "$SLOTS_OUTCOME" "$SLOTS_RELEASE" "$SLOTS_STAGE" "$SLOTS_ERROR" "$KEY"';

test('a command runs by the outcome, in the site, with what happened in its environment', async () => {
  const { start, fail, succeed, read, events, lines } = await setUp({
    env: { KEY: 's3cret' },
    onPromoted: `${SHOW} > good.txt`,
    onFailed: ['sh', '-c', `${SHOW} > bad.txt`],
  });
  await start('p1');
  await fail(`it's "broken"; $(touch pwned)`);
  await start('p2');
  await succeed();
  await until(() => events('command.done').length === 2, 'both commands');
  expect(await read('bad.txt')).toBe(
    `failed|release of p1|build|it's "broken"; $(touch pwned)|s3cret|`,
  );
  expect(await read('good.txt')).toBe('promoted|release of p2|flip||s3cret|');
  expect(JSON.stringify(lines)).not.toContain('s3cret');
});

test.each([
  ['fails', 'exit 3', 'ended with 3'],
  ['is not there', ['no-such-command-here'], 'ENOENT'],
])('a command that %s is logged, and nothing else comes of it', async (_name, onFailed, said) => {
  const { start, fail, events } = await setUp({ onFailed });
  await start('p1');
  await fail('does not build');
  await until(() => events('command.failed').length === 1, 'the log');
  expect(events('command.failed')[0]).toMatchObject({
    command: 'onFailed',
    error: expect.stringContaining(said),
  });
});

test('a command that hangs is killed with all it has started', async () => {
  const { paths, log, events, read } = await setUp({});
  const config = testConfig({ onFailed: 'sleep 61 & echo $! > pid; wait' });
  const ending = {
    site: 's',
    id: 'p',
    release: null,
    outcome: 'failed',
    stage: 'build',
  } as const;
  const more = {
    error: 'e',
    trigger: 'edit' as const,
    startedAt: LATE,
    finishedAt: LATE,
    durationsMs: {},
  };
  createCommands(config, paths.root, log, 300)({ ...ending, ...more });
  await until(() => events('command.failed').length === 1, 'its end');
  expect(events('command.failed')[0]).toMatchObject({
    error: 'still running after 300 ms, killed',
  });
  const pid = Number(await read('pid'));
  await until(() => {
    try {
      return !process.kill(pid, 0);
    } catch {
      return true;
    }
  }, 'the end of what it started');
});
