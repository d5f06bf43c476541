import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Status } from '../../src/controller/admin/status.ts';
import { startLoad } from '../support/load.ts';
import type { PlainSite } from '../support/plain-site.ts';
import { processesWith, signalProcess } from '../support/processes.ts';
import { until } from '../support/until.ts';
import {
  editOf,
  expectNothingLeft,
  faultSite,
  LOAD,
  pageOf,
  RECOVERY_TIMEOUT_MS,
  untilLive,
} from './fault-site.ts';
import { longTest } from './long-test.ts';
import { recordFault, times } from './table.ts';

const KILLS = times(1, 20);

const PM2 = fileURLToPath(new URL('../../node_modules/pm2/bin/pm2', import.meta.url));

/** PM2 by hand, as a person or a boot script runs it. */
async function pm2(site: PlainSite, command: string): Promise<void> {
  await promisify(execFile)(process.execPath, [PM2, command], { cwd: site.root, env: site.env });
}

const RETURNS: Record<string, (site: PlainSite) => Promise<unknown>> = {
  'slots up': async (site) => {
    const up = await site.slots('up');
    expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  },
  'pm2 resurrect': (site) => pm2(site, 'resurrect'),
};

/** Its children have nobody left who would tell them to end. */
async function killDaemon(site: PlainSite): Promise<void> {
  signalProcess((await site.daemonPid()) as number, 'SIGKILL');
  await until(
    async () => (await processesWith([site.root, site.env.PM2_HOME as string])).length === 0,
    'everything that PM2 ran to end by itself',
  );
}

function assignment({ active, slots, failedOverFrom }: Status) {
  return { active, blue: slots.blue.release, green: slots.green.release, failedOverFrom };
}

for (const [how, comeBack] of Object.entries(RETURNS)) {
  test(`serves the same release after ${how}, the PM2 daemon being killed ${KILLS} times`, async () => {
    const site = await faultSite();
    const wrong: string[] = [];
    let shown = 1;
    const load = startLoad(site.origin, {
      ...LOAD,
      complain(_path, { body }) {
        // Nobody serves while PM2 is away, and a release that is not the active one never does.
        if (editOf(body) < shown) wrong.push(body);
        return null;
      },
    });
    const recoveryMs: number[] = [];
    let edit = 1;
    for (let kill = 0; kill < KILLS; kill++) {
      await untilLive(site, edit);
      const before = assignment(await site.status());
      await pm2(site, 'save');
      const killed = performance.now();
      await killDaemon(site);
      // What is edited while nothing runs is not lost either.
      if (kill % 2 === 1) await site.edit('page.txt', pageOf(++edit));
      await comeBack(site);
      await until(async () => (await site.get()).status === 200, 'an answer', RECOVERY_TIMEOUT_MS);
      recoveryMs.push(performance.now() - killed);
      if (kill % 2 === 0) expect(assignment(await site.status())).toEqual(before);
      await untilLive(site, edit);
      shown = edit;
    }
    const { requests, failed } = await load.stop();
    recordFault({
      row: 4,
      fault: `kill -9 the PM2 daemon, then ${how}`,
      injected: KILLS,
      requests,
      failed,
      allowed: failed,
      editsLost: 0,
      recoveryMs,
    });
    expect(wrong).toEqual([]);
    await expectNothingLeft(site);
  });
}

longTest(
  'what hangs while the PM2 daemon is killed is ended by slots up, which needs its port',
  async () => {
    const site = await faultSite();
    const { active } = await site.status();
    const pids = await site.pids();
    const hanging = [...pids.proxy.slice(0, 1), ...pids[active].slice(0, 1)];
    for (const pid of hanging) signalProcess(pid, 'SIGSTOP');
    signalProcess((await site.daemonPid()) as number, 'SIGKILL');
    await until(
      async () => (await processesWith([site.root])).length === hanging.length,
      'the others to end',
    );
    const up = await site.slots('up');
    expect(up, up.stderr).toMatchObject({ exitCode: 0 });
    expect((await site.get()).body).toBe(pageOf(1));
    await expectNothingLeft(site);
  },
);
