import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startLoad } from '../support/load.ts';
import { PLAIN_PATHS, type PlainSite, plainSite } from '../support/plain-site.ts';
import { until } from '../support/until.ts';

const RELOADS = 10;
const PM2 = fileURLToPath(new URL('../../node_modules/.bin/pm2', import.meta.url));

async function reloadProxy(site: PlainSite): Promise<void> {
  await promisify(execFile)(process.execPath, [PM2, 'reload', `${site.name}-proxy`], {
    env: site.env,
  });
}

test('fails no request while the proxy is reloaded ten times in a row', async () => {
  const site = await plainSite({ config: { drainTimeoutMs: 2500 } });
  const up = await site.slots('up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });

  const load = startLoad(site.origin, {
    paths: PLAIN_PATHS,
    keepAlive: 20,
    fresh: 5,
    slow: 5,
    slowPath: '/api/slow?ms=700',
    webSockets: 2,
    pauseMs: 20,
  });
  const seen = new Set((await site.pids()).proxy);
  for (let reload = 1; reload <= RELOADS; reload++) {
    const before = load.requests();
    await reloadProxy(site);
    const { proxy } = await site.pids();
    for (const pid of proxy) expect(seen).not.toContain(pid);
    for (const pid of proxy) seen.add(pid);
    await until(() => load.requests() > before + 100, `requests after reload ${reload}`);
  }
  const result = await load.stop();

  expect(result.failures).toEqual([]);
  expect(result.failed).toBe(0);
  for (const kind of ['keep-alive', 'fresh', 'slow', 'web-socket'] as const) {
    expect(result.byKind[kind].requests).toBeGreaterThan(RELOADS);
  }
  // Every worker's first request went where the others' went.
  expect(Object.keys(result.releases)).toHaveLength(1);
  // What never ends by itself is told so at the limit.
  const codes = result.sockets.flatMap(({ closeCode }) => closeCode ?? []);
  expect(codes.length).toBeGreaterThanOrEqual(RELOADS);
  expect(new Set(codes)).toEqual(new Set([1001]));
  const status = await site.status();
  expect(status.proxy.workers).toHaveLength(2);
});
