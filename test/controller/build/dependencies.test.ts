import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { UserConfig } from '../../../src/config/schema.ts';
import { buildRelease } from '../../../src/controller/build/build.ts';
import { wantedDeps } from '../../../src/controller/build/dependencies.ts';
import { clearOrphans } from '../../../src/controller/build/orphans.ts';
import { openSource } from '../../../src/controller/source/build-source.ts';
import { depsFolder, linkDeps, listDeps, pruneDeps } from '../../../src/slots/deps.ts';
import { releaseDir, type SitePaths } from '../../../src/slots/paths.ts';
import { createPartial, deletePartial, deleteRelease } from '../../../src/slots/release.ts';
import { collectedLog } from '../../support/collected-log.ts';
import { putFile, tempSite } from '../../support/temp-site.ts';
import { testConfig } from '../../support/test-config.ts';

/** Installs one package that is what the lock file says. */
const INSTALL =
  'mkdir -p node_modules/dep && cp package-lock.json node_modules/dep/index.json && echo installed';

/** Builds an output that says which package the build has found, from the folder it ran in. */
const BUILD = 'cat node_modules/dep/index.json > {outDir}/server.mjs; pwd >> {outDir}/server.mjs';

const SITE = {
  'package.json': '{}',
  'package-lock.json': '"one"',
  'page.txt': 'a',
  'node_modules/dep/index.json': '"of the site"',
};

const order = async (paths: SitePaths, lines: string[] = []) => ({
  trigger: 'edit' as const,
  changed: [],
  signal: new AbortController().signal,
  source: await openSource(config(), paths),
  onNamed() {},
  onLine: (line: string) => lines.push(line),
  onNotice() {},
});

const config = (user: UserConfig = {}) => ({
  ...testConfig({ build: BUILD, install: INSTALL, ...user }),
  lockFile: 'package-lock.json',
});

async function build(paths: SitePaths, user: UserConfig = {}) {
  const lines: string[] = [];
  const release = await buildRelease(config(user), paths, await order(paths, lines));
  const dist = join(releaseDir(paths, release.id), 'dist');
  const output = await readFile(join(dist, 'server.mjs'), 'utf8');
  const [, found, cwd] = /^("\w+")(.*)\n$/.exec(output) ?? [];
  return { ...release, lines, dist, found, cwd, resolves: () => resolveFrom(dist) };
}

/** The package that code of a release gets. */
function resolveFrom(dist: string): unknown {
  return createRequire(realpathSync(join(dist, 'server.mjs')))('dep/index.json');
}

test('with install, a release is built with the packages of the lock file, and keeps them', async () => {
  const paths = await tempSite(SITE);
  const one = await build(paths);
  await putFile(paths.root, 'package-lock.json', '"two"');
  const two = await build(paths);
  expect([one.found, two.found]).toEqual(['"one"', '"two"']);
  expect([one.resolves(), two.resolves()]).toEqual(['one', 'two']);
  expect(two.cwd).toBe(join(depsFolder(paths), two.deps as string));
  expect(await readFile(join(paths.root, 'node_modules/dep/index.json'), 'utf8')).toBe(
    '"of the site"',
  );
});

test('with install, a release shares them with the next one that has the same lock file, without another install', async () => {
  const paths = await tempSite(SITE);
  const one = await build(paths);
  await putFile(paths.root, 'page.txt', 'b');
  const two = await build(paths, { build: `cat page.txt && ${BUILD}` });
  expect(one.lines).toEqual(['installed']);
  expect(two.lines).toEqual(['b']);
  expect(two.deps).toBe(one.deps);
  expect(await listDeps(paths)).toEqual([one.deps]);
});

test('with install, a release has both outputs in its log', async () => {
  const paths = await tempSite(SITE);
  const { id } = await build(paths, { build: `echo built && ${BUILD}` });
  const log = await readFile(join(releaseDir(paths, id), 'build.log'), 'utf8');
  expect(log).toBe('installed\nbuilt\n');
});

test('with install, a release does not take the packages of before when package.json asks for others', async () => {
  const paths = await tempSite(SITE);
  await build(paths);
  const ci = `grep -q other package.json && { echo out of step; exit 1; }; ${INSTALL}`;
  await build(paths, { install: ci });
  await putFile(paths.root, 'package.json', '{"version":"2.0.0","scripts":{"x":"y"}}');
  expect((await build(paths, { install: ci })).lines).toEqual([]);
  await putFile(paths.root, 'package.json', '{"dependencies":{"other":"1"}}');
  await expect(build(paths, { install: ci })).rejects.toThrow('out of step');
});

test('with install, a release has packages of its own for another install command', async () => {
  const paths = await tempSite(SITE);
  const one = await build(paths);
  const two = await build(paths, { install: `${INSTALL} --omit=dev` });
  expect(two.deps).not.toBe(one.deps);
});

test('with install, a release resolves packages while it is being built, as frameworks do', async () => {
  const paths = await tempSite(SITE);
  const script = `require('fs').writeFileSync(process.argv[1] + '/server.mjs', 'x');
      require('fs').writeFileSync(process.argv[1] + '/found.json', JSON.stringify(require('module').createRequire(process.argv[1] + '/server.mjs')('dep/index.json')))`;
  const release = await buildRelease(
    config({ build: ['node', '-e', script, '{outDir}'] }),
    paths,
    await order(paths),
  );
  const found = join(releaseDir(paths, release.id), 'dist/found.json');
  expect(await readFile(found, 'utf8')).toBe('"one"');
});

test('with install, a release is copied from the folder it was built in', async () => {
  const paths = await tempSite(SITE);
  const { dist } = await build(paths, {
    build: `mkdir out && ${BUILD.replaceAll('{outDir}', 'out')}`,
    copy: [{ from: 'out' }],
  });
  expect(resolveFrom(dist)).toBe('one');
  expect(existsSync(join(paths.root, 'out'))).toBe(false);
});

test('an install that fails leaves nothing but its log', async () => {
  const paths = await tempSite(SITE);
  const failing = build(paths, { install: 'mkdir node_modules; echo no such package; exit 3' });
  await expect(failing).rejects.toMatchObject({
    code: 'BUILD_FAILED',
    message: 'the install exited with code 3: no such package',
  });
  expect(await readdir(depsFolder(paths))).toEqual([]);
  expect(await readdir(paths.releases)).toEqual([]);
  expect(await readFile(paths.failedBuildLog, 'utf8')).toBe('no such package\n');
});

test('an install has a time limit', async () => {
  const paths = await tempSite(SITE);
  await expect(build(paths, { install: 'sleep 60', buildTimeoutMs: 200 })).rejects.toMatchObject({
    code: 'BUILD_TIMEOUT',
    message: 'the install was still running after 200 ms and was killed',
  });
});

test('an install that a killed controller left is removed', async () => {
  const paths = await tempSite({ ...SITE, 'slots/deps/.partial/node_modules/x/i.js': 'x' });
  await clearOrphans(paths, collectedLog().log);
  expect(await readdir(depsFolder(paths))).toEqual([]);
});

test('an install is not told to leave out what only builds need', async () => {
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = 'production';
  try {
    const paths = await tempSite(SITE);
    const say = `${INSTALL}; echo "env: $NODE_ENV"`;
    expect((await build(paths, { install: say })).lines).toContain('env:');
    const { lines } = await build(paths, { install: `${say} `, env: { NODE_ENV: 'test' } });
    expect(lines).toContain('env: test');
  } finally {
    process.env.NODE_ENV = before;
  }
});

test('an install finds a package that lies beside the site', async () => {
  const outer = await tempSite({ 'lib/index.txt': 'beside' });
  const root = join(outer.root, 'site');
  const paths = {
    ...outer,
    root,
    slots: join(root, 'slots'),
    releases: join(root, 'slots/releases'),
  };
  for (const [path, text] of Object.entries(SITE)) await putFile(root, path, text);
  await putFile(root, 'package-lock.json', '{"resolved": "file:../lib", "x": "../lib"}');
  const { lines } = await build(paths, { install: `${INSTALL}; cat ../lib/index.txt` });
  expect(lines).toContain('beside');
});

test('the copy that is built in has the history of the site, and is the root of it', async () => {
  const paths = await tempSite({ ...SITE, '.gitignore': 'slots\nnode_modules\n' });
  const git = (...args: string[]) =>
    promisify(execFile)('git', ['-c', 'user.name=a', '-c', 'user.email=a@a.example', ...args], {
      cwd: paths.root,
    });
  await git('init', '-q');
  await git('add', '-A');
  await git('commit', '-qm', 'the first page');
  const say = `git log --format=%s -- page.txt; git rev-parse --show-toplevel; ${BUILD}`;
  const { lines, cwd } = await build(paths, { build: say });
  expect(lines.slice(-2)).toEqual(['the first page', cwd]);
  await writeFile(join(paths.root, 'page.txt'), 'b');
  await git('commit', '-qam', 'the second page');
  expect((await build(paths, { build: say })).lines).toContain('the second page');
});

test('dependencies go with the last release that uses them', async () => {
  const paths = await tempSite(SITE);
  const one = await build(paths);
  await putFile(paths.root, 'package-lock.json', '"two"');
  const [two, three] = [await build(paths), await build(paths)];
  expect(await pruneDeps(paths, null)).toEqual([]);
  await deleteRelease(paths, one.id);
  await deleteRelease(paths, two.id);
  expect(await pruneDeps(paths, null)).toEqual([one.deps]);
  await deleteRelease(paths, three.id);
  expect(await pruneDeps(paths, await wantedDeps(config(), paths.root))).toEqual([]);
  expect(await pruneDeps(paths, null)).toEqual([three.deps]);
  expect(await listDeps(paths)).toEqual([]);
});

test('dependencies of a release that is being built, or that has lost its release.json, are in use', async () => {
  const paths = await tempSite(SITE);
  const { id, deps } = await build(paths);
  const other = 'r20260101T000000-abcdef';
  await linkDeps(await createPartial(paths, other), deps as string);
  await deleteRelease(paths, id);
  expect(await pruneDeps(paths, null)).toEqual([]);
  await deletePartial(paths, other);
  expect(await pruneDeps(paths, null)).toEqual([deps]);
});

test('dependencies are left alone when somebody else’s things lie beside them', async () => {
  const paths = await tempSite(SITE);
  await mkdir(join(depsFolder(paths), 'mine'), { recursive: true });
  await symlink(dirname(paths.root), join(depsFolder(paths), basename(dirname(paths.root))));
  await pruneDeps(paths, null);
  expect(await readdir(depsFolder(paths))).toHaveLength(2);
});
