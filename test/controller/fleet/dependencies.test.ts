import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/schema.ts';
import { wantedDeps } from '../../../src/controller/build/dependencies.ts';
import { installFor } from '../../../src/controller/fleet/dependencies.ts';
import { depsDir, listDeps } from '../../../src/slots/deps.ts';
import { releaseIdOf, tempSite } from '../../support/temp-site.ts';
import { testConfig } from '../../support/test-config.ts';

const ID = releaseIdOf(1);
const SITE = { 'package.json': '{}', 'package-lock.json': '"one"' };

function config(install: string): Config {
  return { ...testConfig({ install }), lockFile: 'package-lock.json' };
}

const GOOD = config(
  'mkdir -p node_modules/dep && cp package-lock.json node_modules/dep/index.json',
);

test('a machine installs what a release of another machine needs, once', async () => {
  const paths = await tempSite(SITE);
  const deps = (await wantedDeps(GOOD, paths.root)) as string;
  const lines: string[] = [];
  const counted = config(`${GOOD.install} && echo installed`);
  const key = (await wantedDeps(counted, paths.root)) as string;
  await installFor({ id: ID, deps: key }, counted, paths, (line) => lines.push(line));
  await installFor({ id: ID, deps: key }, counted, paths, (line) => lines.push(line));
  expect(lines).toEqual(['installed']);
  expect(await listDeps(paths)).toEqual([key]);
  expect(key).not.toBe(deps);
  const installed = join(depsDir(paths, key), 'node_modules/dep/index.json');
  expect(await readFile(installed, 'utf8')).toBe('"one"');
  expect(await readdir(paths.releases)).toEqual([]);
});

test('nothing is installed for a release with the site’s packages, or of another lock file', async () => {
  const paths = await tempSite(SITE);
  await installFor({ id: ID, deps: null }, GOOD, paths);
  await installFor({ id: ID, deps: '0123456789abcdef' }, GOOD, paths);
  expect(await listDeps(paths)).toEqual([]);
  expect(existsSync(paths.releases)).toBe(false);
});

test('an install that fails says so, keeps its output, and leaves nothing else behind', async () => {
  const paths = await tempSite(SITE);
  const failing = config('echo no such package && exit 1');
  const deps = await wantedDeps(failing, paths.root);
  await expect(installFor({ id: ID, deps }, failing, paths)).rejects.toMatchObject({
    code: 'BUILD_FAILED',
  });
  expect(await readFile(paths.failedBuildLog, 'utf8')).toContain('no such package');
  expect(await readdir(paths.releases)).toEqual([]);
  expect(await listDeps(paths)).toEqual([]);
});
