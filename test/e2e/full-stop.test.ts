import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type PlainSite, plainSite } from '../support/plain-site.ts';
import { processesWith } from '../support/processes.ts';
import { until } from '../support/until.ts';

const PM2 = fileURLToPath(new URL('../../node_modules/pm2/bin/pm2', import.meta.url));

/** Longer than the 5 s that PM2 gave the site's processes once. */
const ANSWER_MS = 7000;

const STOPS: Record<string, (site: PlainSite) => Promise<unknown>> = {
  'slots down': (site) => site.slots('down'),
  'pm2 kill': (site) =>
    promisify(execFile)(process.execPath, [PM2, 'kill'], { cwd: site.root, env: site.env }),
};

for (const [how, stop] of Object.entries(STOPS)) {
  test(`an answer of the site that takes ${ANSWER_MS / 1000} s survives ${how}`, async () => {
    const site = await plainSite({ config: { drainTimeoutMs: 15_000 } });
    const up = await site.slots('up');
    expect(up, up.stderr).toMatchObject({ exitCode: 0 });
    const answer = site.get(`/api/slow?ms=${ANSWER_MS}`);
    await until(async () => {
      const { active, slots } = await site.status();
      return slots[active].inflight > 0;
    }, 'the request to reach the site');
    await stop(site);
    expect(await answer).toMatchObject({ status: 200 });
    await until(async () => (await processesWith([site.root])).length === 0, 'the rest to end');
  });
}
