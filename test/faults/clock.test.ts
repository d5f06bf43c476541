import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sitePaths } from '../../src/slots/paths.ts';
import { listReleases } from '../../src/slots/release.ts';
import { startLoad } from '../support/load.ts';
import { plainSite } from '../support/plain-site.ts';
import { editOf, expectNothingLeft, LOAD, pageOf, untilLive } from './fault-site.ts';
import { recordFault, times } from './table.ts';

/** Debian's `libfaketime`; without it there is no way to set the clock of some processes only. */
const LIBRARY = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
].find(existsSync);

/** There and back, by less than a second and by years. */
const JUMPS = ['+2h', '-3d', '+0', '-10y', '+30d', '+0.5', '-1h', '+1y', '-1s', '+0'];

test('goes on while the system clock jumps back and forth', async ({ skip }) => {
  if (!LIBRARY) skip('no libfaketime here: apt-get install libfaketime');
  const site = await plainSite({ config: { keep: 4 } });
  const file = join(site.root, 'clock');
  const set = async (offset: string) => {
    await writeFile(`${file}.new`, `${offset}\n`);
    await rename(`${file}.new`, file);
  };
  await set('+0');
  Object.assign(site.env, {
    LD_PRELOAD: LIBRARY,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  });
  await site.edit('page.txt', pageOf(0));
  const up = await site.slots('up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });

  let oldest = 0;
  const load = startLoad(site.origin, {
    ...LOAD,
    // One that never ends holds each drain to its limit, which is measured by another clock.
    events: times(0, 1),
    complain: (_path, { body }) => (editOf(body) >= oldest ? null : `an old page: ${body}`),
  });
  const recoveryMs: number[] = [];
  const jumps = JUMPS.slice(0, times(3, JUMPS.length));
  for (const [index, offset] of jumps.entries()) {
    const edit = index + 1;
    // Half of them within a promotion.
    if (index % 2 === 0) await set(offset);
    await site.edit('page.txt', pageOf(edit));
    if (index % 2 === 1) await set(offset);
    const begun = performance.now();
    await untilLive(site, edit);
    recoveryMs.push(performance.now() - begun);
    oldest = edit - 1;
    const { slots, active, proxy } = await site.status();
    expect(slots[active].healthy).toBe(true);
    expect(proxy.workers).toHaveLength(2);
    for (const { uptimeMs } of slots[active].instances) expect(uptimeMs).toBeGreaterThanOrEqual(0);
  }
  const { requests, failed, failures } = await load.stop();
  recordFault({
    row: 8,
    fault: 'the system clock jumps, promotions meanwhile',
    injected: jumps.length,
    requests,
    failed,
    editsLost: 0,
    recoveryMs,
  });
  expect(failures).toEqual([]);
  // The newest ones were kept, in the order in which they were built.
  const { slots, active } = await site.status();
  const kept = await listReleases(sitePaths(site.root));
  expect(kept[0]?.id).toBe(slots[active].release);
  expect(kept).toHaveLength(4);
  // And the clock they were built by did jump.
  const built = kept.map(({ createdAt }) => Date.parse(createdAt));
  expect(Math.max(...built) - Math.min(...built)).toBeGreaterThan(24 * 3600 * 1000);
  await expectNothingLeft(site);
});
