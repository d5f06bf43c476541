import { lstat, readFile, readlink, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { UserConfig } from '../../../src/config/schema.ts';
import { configSchema } from '../../../src/config/schema.ts';
import { releaseDir, type SitePaths, sitePaths } from '../../../src/slots/paths.ts';
import { deleteRelease } from '../../../src/slots/release.ts';
import { startBuild } from '../../support/build-site.ts';
import { putFile, tempSite } from '../../support/temp-site.ts';

const SITE = {
  'server.js': 'serve',
  'public/logo.txt': 'logo',
  'public/uploads/cat.txt': 'meow',
  'src/content/a.md': 'a',
};

async function built(
  paths: SitePaths,
  build: string | false,
  config: UserConfig & { lockFile?: string },
) {
  const { id } = await startBuild(paths, build, { entry: 'server.js', ...config }).release;
  return { id, dist: join(releaseDir(paths, id), 'dist') };
}

const isLink = async (path: string) => (await lstat(path)).isSymbolicLink();

test.each<[string, string | false, UserConfig, string[]]>([
  [
    'a standalone server, where the build copied it',
    'mkdir -p out && cp -r server.js public out',
    { copy: [{ from: 'out' }, { from: 'public', to: 'public' }] },
    ['public/uploads'],
  ],
  [
    'an Astro server, among the files for visitors',
    'mkdir -p {outDir}/client && cp server.js {outDir} && cp -r public/* {outDir}/client',
    {},
    ['public/uploads', 'client/uploads'],
  ],
  [
    'a React Router server',
    'mkdir -p {outDir}/build/client && cp server.js {outDir}',
    {},
    ['public/uploads', 'build/client/uploads'],
  ],
  ['a copy of the site', false, { copy: [{ from: '.' }] }, ['public/uploads']],
  ['a static site', 'cp -r public/* {outDir}', { entry: 'static:' }, ['uploads']],
  [
    'a static site in a folder of its output',
    'mkdir {outDir}/www && cp -r public/* {outDir}/www',
    { entry: 'static:www' },
    ['www/uploads'],
  ],
  [
    'a folder of files',
    false,
    { entry: 'static:', copy: [{ from: 'public', to: '.' }] },
    ['uploads'],
  ],
])('a shared folder is linked into %s', async (_what, build, config, places) => {
  const paths = await tempSite(SITE);
  const { dist } = await built(paths, build, { shared: ['public/uploads'], ...config });
  for (const place of places) {
    expect(await isLink(join(dist, place)), place).toBe(true);
    expect(await readFile(join(dist, place, 'cat.txt'), 'utf8')).toBe('meow');
    await writeFile(join(dist, place, 'dog.txt'), 'woof');
    expect(await readFile(join(paths.root, 'public/uploads/dog.txt'), 'utf8')).toBe('woof');
  }
});

test('a shared folder is made where it is missing, and outlives its releases', async () => {
  const paths = await tempSite(SITE);
  const { id, dist } = await built(paths, 'cp server.js {outDir}', { shared: ['var/data/'] });
  await writeFile(join(dist, 'var/data/site.db'), 'rows');
  await deleteRelease(paths, id);
  expect(await readFile(join(paths.root, 'var/data/site.db'), 'utf8')).toBe('rows');
});

test('a shared folder that is not public is not put among the files of a static site', async () => {
  const paths = await tempSite(SITE);
  const config: UserConfig = { shared: ['data'], entry: 'static:' };
  const { dist } = await built(paths, 'cp -r public/* {outDir}', config);
  await expect(lstat(join(dist, 'data'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('links to shared folders still lead there after the site was moved', async () => {
  const paths = await tempSite({ 'site/server.js': 'serve', 'site/src/content/a.md': 'a' });
  const site = sitePaths(join(paths.root, 'site'));
  const { id } = await built(site, 'cp server.js {outDir}', { shared: ['data'] });
  await putFile(site.root, 'data/a.txt', 'a');
  await rename(site.root, join(paths.root, 'moved'));
  const dist = join(releaseDir(sitePaths(join(paths.root, 'moved')), id), 'dist');
  expect(await readFile(join(dist, 'data/a.txt'), 'utf8')).toBe('a');
});

test('a build in a folder with packages of its own finds shared folders there', async () => {
  const paths = await tempSite({ ...SITE, 'package-lock.json': '"one"', 'data/a.txt': 'a' });
  const build = 'cp server.js {outDir}; cat data/a.txt > {outDir}/found.txt; pwd > {outDir}/cwd';
  const config = {
    shared: ['data'],
    install: 'mkdir -p node_modules',
    lockFile: 'package-lock.json',
  };
  const { dist } = await built(paths, build, config);
  expect(await readFile(join(dist, 'found.txt'), 'utf8')).toBe('a');
  const cwd = (await readFile(join(dist, 'cwd'), 'utf8')).trim();
  expect(await readlink(join(cwd, 'data'))).toBe(join(paths.root, 'data'));
});

test.each(['slots', 'slots/x', '.', './', '../x', '/srv', ''])(
  '%j cannot be shared, and the config says so',
  (folder) => {
    expect(configSchema.safeParse({ shared: [folder] }).success).toBe(false);
  },
);
