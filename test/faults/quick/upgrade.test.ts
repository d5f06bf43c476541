import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startLoad } from '../../support/load.ts';
import {
  expectNothingLeft,
  faultSite,
  LOAD,
  loadOfPages,
  pageOf,
  untilLive,
} from '../fault-site.ts';
import { recordFault, times } from '../table.ts';

const UPGRADES = times(2, 10);

test(`slots upgrade replaces the daemon and every process ${UPGRADES} times without a failed request`, async () => {
  const site = await faultSite({ config: { drainTimeoutMs: 3000 } });
  const { load, wrong, show } = loadOfPages(site);
  const upgradeMs: number[] = [];
  for (let count = 1; count <= UPGRADES; count++) {
    const before = [await site.daemonPid(), ...Object.values(await site.pids()).flat()];
    const begun = performance.now();
    const upgrade = await site.slots('upgrade');
    upgradeMs.push(performance.now() - begun);
    expect(upgrade, upgrade.stderr).toMatchObject({ exitCode: 0 });
    const after = [await site.daemonPid(), ...Object.values(await site.pids()).flat()];
    expect(after).toHaveLength(before.length);
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
    await site.edit('page.txt', pageOf(count + 1));
    await untilLive(site, count + 1);
    show(count + 1);
  }
  const { requests, failed, failures } = await load.stop();
  recordFault({
    row: 4,
    fault: 'slots upgrade',
    injected: UPGRADES,
    requests,
    failed,
    editsLost: 0,
    recoveryMs: upgradeMs,
  });
  expect(failures).toEqual([]);
  expect(failed).toBe(0);
  expect(wrong).toEqual([]);
  await expectNothingLeft(site);
});

test('a slots upgrade under which the site does not start keeps the old processes serving', async () => {
  const site = await faultSite({ config: { drainTimeoutMs: 3000 } });
  const load = startLoad(site.origin, LOAD);
  const file = join(site.root, 'slots.config.json');
  const config = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...config, nodeArgs: ['--no-such-option'] }));
  const { active } = await site.status();
  const before = (await site.pids())[active];
  const upgrade = await site.slots('upgrade');
  expect(upgrade.exitCode).toBe(1);
  expect(upgrade.stderr).toContain('the start failed');
  expect((await site.get()).body).toBe(pageOf(1));
  expect((await site.pids())[active]).toEqual(expect.arrayContaining(before));

  await writeFile(file, JSON.stringify(config));
  const again = await site.slots('upgrade');
  expect(again, again.stderr).toMatchObject({ exitCode: 0 });
  const { failures } = await load.stop();
  expect(failures).toEqual([]);
  await expectNothingLeft(site);
});
