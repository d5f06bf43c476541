import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { PlainSite } from '../support/plain-site.ts';
import { processesWith, signalProcess } from '../support/processes.ts';
import { until } from '../support/until.ts';
import {
  expectNothingLeft,
  faultSite,
  loadOfPages,
  pageOf,
  pidOf,
  RECOVERY_TIMEOUT_MS,
  untilLive,
} from './fault-site.ts';
import { longTest } from './long-test.ts';
import { recordFault, times } from './table.ts';

const KILLS = times(3, 20);

const PM2 = fileURLToPath(new URL('../../node_modules/pm2/bin/pm2', import.meta.url));

/** PM2 by hand, as a person or a boot script runs it. */
async function pm2(site: PlainSite, command: string): Promise<void> {
  await promisify(execFile)(process.execPath, [PM2, command], { cwd: site.root, env: site.env });
}

async function killDaemon(site: PlainSite): Promise<void> {
  signalProcess((await site.daemonPid()) as number, 'SIGKILL');
}

async function slotsUp(site: PlainSite): Promise<void> {
  const up = await site.slots('up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });
}

const RETURNS: Record<string, (site: PlainSite) => Promise<unknown>> = {
  'the controller starts it again': killDaemon,
  'slots up, the controller killed too': async (site) => {
    const controller = await pidOf(site, 'watcher');
    await killDaemon(site);
    signalProcess(controller, 'SIGKILL');
    await slotsUp(site);
  },
  'pm2 resurrect': async (site) => {
    await killDaemon(site);
    await pm2(site, 'resurrect');
  },
};

for (const [how, dieAndReturn] of Object.entries(RETURNS)) {
  test(`no request fails when the PM2 daemon is killed ${KILLS} times (${how})`, async () => {
    const site = await faultSite({ config: { drainTimeoutMs: 3000 } });
    const { load, wrong, show } = loadOfPages(site);
    const recoveryMs: number[] = [];
    let edit = 1;
    for (let kill = 0; kill < KILLS; kill++) {
      await untilLive(site, edit);
      await pm2(site, 'save');
      const before = Object.values(await site.pids()).flat();
      const killed = performance.now();
      await dieAndReturn(site);
      // What is edited while nobody watches is not lost either.
      if (kill % 2 === 1) await site.edit('page.txt', pageOf(++edit));
      await until(
        async () => {
          const now = Object.values(await site.pids()).flat();
          return now.length === before.length && !now.some((pid) => before.includes(pid));
        },
        'new processes in the place of all old ones',
        RECOVERY_TIMEOUT_MS,
      );
      await until(() => site.status().then(Boolean, () => false), 'a controller', 30_000);
      recoveryMs.push(performance.now() - killed);
      await untilLive(site, edit);
      show(edit);
    }
    const { requests, failed, failures } = await load.stop();
    recordFault({
      row: 4,
      fault: `kill -9 the PM2 daemon: ${how}`,
      injected: KILLS,
      requests,
      failed,
      editsLost: 0,
      recoveryMs,
    });
    expect(failures).toEqual([]);
    expect(failed).toBe(0);
    expect(wrong).toEqual([]);
    await until(
      async () => {
        const running = await processesWith([site.root, site.env.PM2_HOME as string]);
        return !running.some(({ command }) => command.includes('--return'));
      },
      'the last controller’s own start of everything to be over',
      RECOVERY_TIMEOUT_MS,
    );
    await expectNothingLeft(site);
  });
}

test('status says that the PM2 daemon has died, and who serves, until another one runs the site', async () => {
  const site = await faultSite();
  const { active } = await site.status();
  const before = (await site.pids())[active];
  await killDaemon(site);
  const meanwhile = await until(async () => {
    const status = await site.status();
    return status.watcher.problem !== undefined && status;
  }, 'the controller to notice');
  expect(meanwhile.watcher.problem).toContain("PM2's daemon has died");
  const { instances } = meanwhile.slots[active];
  expect(instances.map(({ status }) => status)).toEqual(['orphaned', 'orphaned']);
  expect(instances.map(({ pid }) => pid).sort()).toEqual(before.sort());
  await until(
    async () => {
      const status = await site.status().catch(() => null);
      const pids = status?.slots[active].instances.map(({ pid }) => pid) ?? [];
      return status?.watcher.problem === undefined && pids.length === 2;
    },
    'a daemon that runs the site again',
    RECOVERY_TIMEOUT_MS,
  );
  await expectNothingLeft(site);
});

test('status shows, and slots down ends, what a killed daemon and a killed controller have left behind', async () => {
  const site = await faultSite();
  const controller = await pidOf(site, 'watcher');
  await killDaemon(site);
  signalProcess(controller, 'SIGKILL');
  expect((await site.get()).body).toBe(pageOf(1));
  const status = await site.slots('status');
  expect(status.exitCode).toBe(3);
  expect(status.stdout).toContain("PM2's daemon has died, and the controller");
  expect(status.stdout.match(/2 orphaned instances/g)).toHaveLength(2);
  const down = await site.slots('down');
  expect(down.stdout).toContain('is down');
  expect(await processesWith([site.root])).toEqual([]);
});

longTest('what hung while the PM2 daemon was killed ends once it wakes up', async () => {
  const site = await faultSite();
  const { active } = await site.status();
  const pids = await site.pids();
  const hanging = [...pids.proxy.slice(0, 1), ...pids[active].slice(0, 1)];
  for (const pid of hanging) signalProcess(pid, 'SIGSTOP');
  await killDaemon(site);
  await until(
    async () => {
      const now = await site.pids();
      // Until then a request may go to the instance that hangs, and waits there.
      return now.proxy.length === 3 && now[active].length === 3;
    },
    'new workers and instances beside those that hang',
    RECOVERY_TIMEOUT_MS,
  );
  expect((await site.get()).body).toBe(pageOf(1));
  for (const pid of hanging) signalProcess(pid, 'SIGCONT');
  await expectNothingLeft(site);
});
