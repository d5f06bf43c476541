import { Agent } from 'node:http';
import { expect, test } from 'vitest';
import { startLoad } from '../support/load.ts';
import { type PlainSite, plainSite } from '../support/plain-site.ts';
import { signalProcess } from '../support/processes.ts';
import { until } from '../support/until.ts';

/** One visitor: each request on a connection of its own, with the cookie that was set last. */
function visitor(site: PlainSite) {
  let cookie = '';
  return async (path = '/process'): Promise<{ pid: number; instance: string; wasSet: boolean }> => {
    const headers: Record<string, string> = cookie ? { cookie, connection: 'close' } : {};
    const answer = await fetch(site.origin + path, { headers });
    expect(answer.status).toBe(200);
    const set = answer.headers.getSetCookie().find((one) => one.startsWith('slots-instance='));
    if (set) cookie = set.split(';')[0] as string;
    const { pid, instance } = (await answer.json()) as { pid: number; instance: string };
    return { pid, instance, wasSet: set !== undefined };
  };
}

test("proxy.affinity 'cookie' keeps a visitor on one instance while it lives, and no longer", async () => {
  const site = await plainSite({ config: { instances: 2, proxy: { affinity: 'cookie' } } });
  expect(await site.slots('up')).toMatchObject({ exitCode: 0 });

  const served = new Set<number>();
  const first = visitor(site);
  // The first answers may come by the port, before the sockets are there.
  await until(async () => (await first()).wasSet, 'the cookie', 10_000);
  const home = await first();
  for (let i = 0; i < 40; i++) {
    expect(await first()).toEqual({ ...home, wasSet: false });
    served.add((await visitor(site)()).pid);
  }
  // Others are not led to one instance alone: idle ones are taken in turn by two workers.
  const load = startLoad(site.origin, { paths: ['/'], keepAlive: 4, fresh: 4, pauseMs: 5 });
  await until(
    async () => served.add((await visitor(site)()).pid).size === 2,
    'each instance to serve somebody',
    20_000,
  );

  // The next release has other processes, and visitors stay with one of those.
  await site.edit('page.txt', 'the next release');
  await until(async () => (await site.get()).body === 'the next release', 'the edit', 30_000);
  await until(async () => (await first()).pid !== home.pid, 'the new processes', 10_000);
  const next = await first();
  for (let i = 0; i < 20; i++) expect(await first()).toMatchObject({ pid: next.pid });
  const result = await load.stop();
  expect(result.failures).toEqual([]);

  signalProcess(next.pid, 'SIGKILL');
  const refuge = await first();
  expect(refuge.pid).not.toBe(next.pid);
  expect(refuge.wasSet).toBe(true);
  // A cookie that names nobody leads to somebody.
  for (let i = 0; i < 10; i++) expect(await first()).toMatchObject({ pid: expect.any(Number) });
});

test('without proxy.affinity no cookie is set', async () => {
  const site = await plainSite();
  expect(await site.slots('up')).toMatchObject({ exitCode: 0 });
  const agent = new Agent({ keepAlive: true });
  for (let i = 0; i < 5; i++) {
    expect((await site.get('/', agent)).headers['set-cookie']).toBeUndefined();
  }
  agent.destroy();
});
