import { execFile } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Check } from '../../src/cli/doctor/check.ts';
import { plainSite } from '../support/plain-site.ts';
import type { Site } from '../support/site.ts';

async function doctor(site: Site) {
  const { exitCode, stdout } = await site.slots('doctor', '--json');
  const report = JSON.parse(stdout) as { ok: boolean; checks: Check[] };
  const bad = report.checks.filter(({ level }) => level !== 'ok');
  return { exitCode, report, bad, names: report.checks.map(({ name }) => name) };
}

test('before the first start: all is well, and no daemon is started to find that out', async () => {
  const site = await plainSite();
  const { exitCode, bad } = await doctor(site);
  expect(bad).toEqual([]);
  expect(exitCode).toBe(0);
  expect(await site.daemonPid()).toBeNull();
  expect(await readdir(site.env.PM2_HOME as string)).toEqual([]);
  expect(await readdir(site.root)).not.toContain('slots');
});

test("a pid file that is another process's by now: says so, and starts no daemon", async () => {
  const site = await plainSite();
  const home = site.env.PM2_HOME as string;
  await writeFile(join(home, 'pm2.pid'), String(process.ppid));
  const { exitCode, bad } = await doctor(site);
  expect(exitCode).toBe(1);
  expect(bad).toMatchObject([{ name: 'pm2', level: 'problem' }]);
  expect(await readdir(home)).toEqual(['pm2.pid']);
  await rm(join(home, 'pm2.pid'));
});

test('while all runs: ports are ours, both ways to the site are tried, workers have the epoch', async () => {
  const site = await plainSite();
  await site.slots('up');
  await site.settled();
  const { exitCode, report, bad } = await doctor(site);
  expect(bad).toEqual([]);
  expect(exitCode).toBe(0);
  const said = Object.fromEntries(report.checks.map(({ name, message }) => [name, message]));
  expect(said['ports.proxy']).toBe(`${site.ports.proxy} is ours: ${site.name}-proxy`);
  expect(said['ports.admin']).toContain('is ours');
  expect(said['health blue']).toMatch(/^GET \/ is answered 200 in \d+ ms, r\d/);
  expect(said['health proxy']).toMatch(/^GET \/ is answered 200 in \d+ ms, r\d/);
  expect(said.workers).toBe('2 of 2 acknowledged epoch 1');

  // One that has just been started is waited for.
  const pm2 = fileURLToPath(new URL('../../node_modules/.bin/pm2', import.meta.url));
  await promisify(execFile)(pm2, ['restart', `${site.name}-watcher`], { env: site.env });
  const text = await site.slots('doctor');
  expect(text).toMatchObject({ exitCode: 0, stderr: '' });
  expect(text.stdout).toContain('all is well');
  expect(text.stdout).not.toContain('\x1b');
});

test('without a controller, with a broken config and no entry: says all of it, and exits with 1', async () => {
  const site = await plainSite();
  await site.slots('up');
  const { slots, active } = await site.settled();
  const pm2 = fileURLToPath(new URL('../../node_modules/.bin/pm2', import.meta.url));
  await promisify(execFile)(pm2, ['stop', `${site.name}-watcher`], { env: site.env });
  await rm(join(site.root, 'slots/releases', slots[active].release as string, 'dist/server.mjs'));
  const file = join(site.root, 'slots.config.json');
  const config = await readFile(file, 'utf8');
  await writeFile(file, JSON.stringify({ ...JSON.parse(config), debounceMs: 'soon' }));
  try {
    const { exitCode, bad, names } = await doctor(site);
    expect(exitCode).toBe(1);
    expect(new Set(bad.map(({ name }) => name))).toEqual(
      new Set(['config', `${site.name}-watcher`, 'controller', 'entry']),
    );
    expect(bad.every(({ level, hint }) => level === 'problem' && hint)).toBe(true);
    // What does not depend on these is checked all the same.
    expect(names).toEqual(expect.arrayContaining(['disk', 'ports.proxy', 'health proxy']));
  } finally {
    await writeFile(file, config);
  }
});
