import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { frameworkSite } from '../support/framework-site.ts';
import { startLoad } from '../support/load.ts';
import type { Site } from '../support/site.ts';
import { putFile } from '../support/temp-site.ts';
import { until } from '../support/until.ts';

/** `/lazy` loads the package when it is first asked; `/later` waits for a file before it does. */
const SERVER = `
import { createServer } from 'node:http';
import { existsSync } from 'node:fs';
const until = async (path) => { while (!existsSync(path)) await new Promise((go) => setTimeout(go, 20)); };
createServer(async (request, response) => {
  if (request.url === '/') return response.end('home');
  if (request.url === '/later') {
    response.write('begun, ');
    await until(process.env.SLOTS_ROOT + '/go');
  }
  response.end((await import('greet')).default);
}).listen(process.env.PORT, process.env.HOST);
`;

const npm = (site: Site, cwd: string, ...args: string[]) =>
  promisify(execFile)('npm', args, { cwd, env: site.env });

/** Packs two majors of a package into the site: no network is needed to install them. */
async function packGreet(site: Site, ...versions: string[]): Promise<void> {
  const vendor = join(site.root, 'vendor');
  await mkdir(vendor);
  for (const version of versions) {
    const folder = join(site.root, 'slots/source', version);
    const manifest = { name: 'greet', version, type: 'module', exports: './index.js' };
    await putFile(folder, 'package.json', JSON.stringify(manifest));
    await putFile(folder, 'index.js', `export default 'greet ${version}';`);
    await npm(site, folder, 'pack', '--silent', '--pack-destination', vendor);
  }
}

/**
 * As a git pull would do it: the lock file changes with the manifest, and nothing is installed in the site. npm writes both
 * aside, since it takes longer over the lock than an edit waits for the next.
 */
async function lockGreet(site: Site, version: string): Promise<void> {
  const dependencies = { greet: `file:vendor/greet-${version}.tgz` };
  const scripts = { start: 'node server.js' };
  const manifest = { name: site.name, private: true, type: 'module', scripts, dependencies };
  const aside = join(site.root, 'slots/source', `lock-${version}`);
  await putFile(aside, 'package.json', JSON.stringify(manifest));
  await cp(join(site.root, 'vendor'), join(aside, 'vendor'), { recursive: true });
  const flags = ['--package-lock-only', '--offline', '--no-audit', '--no-fund'];
  await npm(site, aside, 'install', ...flags);
  for (const file of ['package.json', 'package-lock.json']) {
    await rename(join(aside, file), join(site.root, file));
  }
}

test('a release keeps its dependencies when a major of one changes under it', async () => {
  const site = await frameworkSite({
    files: { 'server.js': SERVER },
    config: { install: 'npm ci --offline --no-audit --no-fund', drainTimeoutMs: 30_000 },
  });
  await packGreet(site, '1.0.0', '2.0.0');
  await lockGreet(site, '1.0.0');
  const up = await site.slots('up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  const { release: first } = await site.get('/');

  // No process of the first release has loaded the package yet.
  const load = startLoad(site.origin, { paths: ['/'], keepAlive: 2, fresh: 1, pauseMs: 50 });
  const later = fetch(`${site.origin}/later`);
  await until(async () => (await site.status()).slots.blue.inflight > 0, 'the request to begin');
  await lockGreet(site, '2.0.0');
  const after = await until(
    async () => {
      // Until then nobody may ask the first release for the package.
      const { release } = await site.get('/');
      return release !== first && site.get('/lazy');
    },
    'the second release to be live',
    90_000,
  );
  expect(after.body).toBe('greet 2.0.0');
  await writeFile(join(site.root, 'go'), '');
  const begun = await later;
  expect(await begun.text()).toBe('begun, greet 1.0.0');
  expect(begun.headers.get('x-slots-release')).toBe(first);

  // The standby has fresh processes, on the release before.
  await site.settled(60_000);
  const standby = await fetch(`http://127.0.0.1:${site.ports.blue}/lazy`);
  expect(await standby.text()).toBe('greet 1.0.0');
  expect(await site.slots('rollback')).toMatchObject({ exitCode: 0 });
  expect(await site.get('/lazy')).toMatchObject({ release: first, body: 'greet 1.0.0' });
  expect((await load.stop()).failures).toEqual([]);

  expect(await readdir(join(site.root, 'slots/deps'))).toHaveLength(2);
  expect(existsSync(join(site.root, 'node_modules'))).toBe(false);
});

test('an install that fails leaves visitors where they are, and says why', async () => {
  const site = await frameworkSite({
    files: { 'server.js': SERVER },
    config: { install: 'npm ci --offline --no-audit --no-fund' },
  });
  await packGreet(site, '1.0.0');
  await lockGreet(site, '1.0.0');
  await site.slots('up');
  const lock = join(site.root, 'package-lock.json');
  await writeFile(lock, '{ "lockfileVersion": 3, "packages": {} }');
  await until(async () => (await site.status()).last?.outcome === 'failed', 'the failure', 60_000);
  const { last } = await site.settled();
  expect(last).toMatchObject({
    stage: 'build',
    error: expect.stringContaining('the install exited'),
  });
  expect(await site.get('/lazy')).toMatchObject({ status: 200, body: 'greet 1.0.0' });
  const { stdout } = await site.slots('logs', 'build');
  expect(stdout).toMatch(/npm/);
});
