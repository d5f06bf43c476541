import { expect, test } from 'vitest';
import { freePorts } from '../support/free-ports.ts';
import { type LoadResult, startLoad } from '../support/load.ts';
import { type Behaviour, PLAIN_PATHS, type PlainSite, plainSite } from '../support/plain-site.ts';
import { until } from '../support/until.ts';

/** A site with an active slot and a warm standby, as after the second release. */
async function siteWithStandby(): Promise<PlainSite> {
  // Long enough for a good candidate on a busy machine.
  const site = await plainSite({ config: { health: { deadlineMs: 10_000 } } });
  await site.slots('up');
  await site.edit('page.txt', 'second');
  await until(async () => (await site.get()).body === 'second', 'the second release');
  await site.settled();
  return site;
}

interface Case {
  behaviour: Behaviour;
  stage: string;
  error: RegExp;
}

const [OWN_PORT = 0] = await freePorts(1);

const CASES: Record<string, Case> = {
  'exits with an error': {
    behaviour: { buildExit: 3 },
    stage: 'build',
    error: /exited with code 3.*told to exit with 3/,
  },
  'writes no entry': {
    behaviour: { noEntry: true },
    stage: 'build',
    error: /wrote no server.mjs; set "entry" to/,
  },
  'builds a candidate that crashes at start': {
    behaviour: { crashAtStart: true },
    stage: 'start',
    error: /crashed at start: Error: /,
  },
  'builds a candidate that never listens': {
    behaviour: { neverListen: true },
    stage: 'start',
    error: /did not answer on its port within 10000 ms/,
  },
  'builds a candidate that listens on a port of its own': {
    behaviour: { port: OWN_PORT },
    stage: 'start',
    error: new RegExp(
      `did not answer on its port within 10000 ms: the site listens on ${OWN_PORT}, .* write listen\\(process.env.PORT\\)`,
    ),
  },
  'builds a candidate that answers 500': {
    behaviour: { status: 500 },
    stage: 'check',
    error: /not healthy within 10000 ms: GET \/: status 500/,
  },
  'builds a candidate that accepts requests and answers none': {
    behaviour: { hang: true },
    stage: 'start',
    error: /did not answer/,
  },
  'builds a candidate of which one instance does not listen': {
    behaviour: { listenOnOneInstanceOnly: true },
    stage: 'start',
    error: /1 of 2 instances did not answer/,
  },
};

for (const [what, { behaviour, stage, error }] of Object.entries(CASES)) {
  test(`keeps serving the old release and warms the standby again when an edit ${what}`, async () => {
    const site = await siteWithStandby();
    const before = await site.status();
    const standby = before.active === 'blue' ? 'green' : 'blue';
    const load = startLoad(site.origin, {
      paths: PLAIN_PATHS,
      keepAlive: 4,
      fresh: 2,
      pauseMs: 20,
      complain: (_path, { body }) => (body === 'second' ? null : `answered ${body}`),
    });
    await site.behave(behaviour);
    await until(
      async () => (await site.status()).last?.outcome === 'failed',
      'the promotion to fail',
      30_000,
    );
    const after = await site.settled();
    const result: LoadResult = await load.stop();

    expect(result.failures).toEqual([]);
    expect(result.requests).toBeGreaterThan(0);
    expect(after.last).toMatchObject({ outcome: 'failed', stage });
    expect(after.last?.error).toMatch(error);
    expect(after.active).toBe(before.active);
    expect(after.slots[standby].release).toBe(before.slots[standby].release);
    await until(async () => {
      const { role, healthy } = (await site.status()).slots[standby];
      return role === 'standby' && healthy;
    }, 'the standby to be warm again');

    // It is as warm as it says.
    expect(await site.slots('rollback')).toMatchObject({ exitCode: 0 });
    expect((await site.get()).release).toBe(before.slots[standby].release);
  });
}

test('says on the command line why a promotion failed, and exits with 1', async () => {
  const site = await siteWithStandby();
  await site.slots('pause');
  await site.behave({ crashAtStart: true });
  const promote = await site.slots('promote', '--wait');
  expect(promote.exitCode).toBe(1);
  expect(promote.stderr).toMatch(/the start failed: the candidate crashed at start: Error: /);
  expect(promote.stderr).not.toMatch(/^\s+at /m);
  const status = await site.slots('status');
  expect(status.exitCode).toBe(0);
  expect(status.stdout).toMatch(/failed in start/);
});
