import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { lstat, readdir, readFile, readlink, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { UserConfig } from '../../../src/config/schema.ts';
import { releaseDir, type SitePaths } from '../../../src/slots/paths.ts';
import { startBuild } from '../../support/build-site.ts';
import { putFile, tempSite } from '../../support/temp-site.ts';

const SITE = {
  'server.js': 'serve',
  'public/a.txt': 'a',
  'lib/node_modules/x/index.js': 'a package',
  'node_modules/x/index.js': 'a package',
  '.git/HEAD': 'ref',
  'slots.config.json': '{}',
  'package.json': '{}',
};

async function build(paths: SitePaths, config: UserConfig): Promise<string> {
  const user = { entry: 'server.js', ...config };
  const { id } = await startBuild(paths, config.build ?? false, user).release;
  return join(releaseDir(paths, id), 'dist');
}

const filesIn = async (folder: string) => (await readdir(folder)).sort();

test('the site itself is copied without packages, git and slots', async () => {
  const paths = await tempSite(SITE);
  const dist = await build(paths, { build: false, copy: [{ from: '.', except: ['.env'] }] });
  expect(await filesIn(dist)).toEqual(['lib', 'package.json', 'public', 'server.js']);
  expect(await filesIn(join(dist, 'lib'))).toEqual([]);
  const again = await build(paths, { build: false, copy: [{ from: '.' }] });
  expect(await filesIn(again)).toEqual(await filesIn(dist));
});

test('folders and files are copied to where they belong, after the build', async () => {
  const paths = await tempSite(SITE);
  const dist = await build(paths, {
    build:
      'mkdir -p out/node_modules/x && echo new > out/server.js && echo x > out/node_modules/x/i.js',
    copy: [
      { from: 'out' },
      { from: 'public', to: 'deep/public' },
      { from: 'package.json', to: 'deep' },
      { from: 'missing', optional: true },
    ],
  });
  expect(await readFile(join(dist, 'server.js'), 'utf8')).toBe('new\n');
  expect(await filesIn(join(dist, 'deep'))).toEqual(['package.json', 'public']);
  // A standalone build brings its packages along.
  expect(await filesIn(join(dist, 'node_modules/x'))).toEqual(['i.js']);
});

test('a socket or a pipe that a program has in the site is left where it is', async () => {
  const paths = await tempSite(SITE);
  const server = createServer().listen(join(paths.root, 'public/rpc.sock'));
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  execFileSync('mkfifo', [join(paths.root, 'pipe')]);
  const dist = await build(paths, { build: false, copy: [{ from: '.' }] });
  expect(await filesIn(dist)).toEqual(['lib', 'package.json', 'public', 'server.js']);
  expect(await filesIn(join(dist, 'public'))).toEqual(['a.txt']);
});

test('links inside what is copied lead to the copy', async () => {
  const paths = await tempSite({ ...SITE, 'out/server.js': 'x', 'out/real/a.txt': 'a' });
  await symlink('real', join(paths.root, 'out/link'));
  const dist = await build(paths, { build: 'true', copy: [{ from: 'out' }] });
  expect((await lstat(join(dist, 'link'))).isSymbolicLink()).toBe(true);
  expect(await readlink(join(dist, 'link'))).toBe('real');
});

test('links out of a folder lead to the same place from the release', async () => {
  const paths = await tempSite({ ...SITE, 'uploads/cat.txt': 'meow' });
  await symlink('../uploads', join(paths.root, 'public/uploads'));
  const dist = await build(paths, { copy: [{ from: 'public', to: 'p' }, { from: 'server.js' }] });
  expect(await readFile(join(dist, 'p/uploads/cat.txt'), 'utf8')).toBe('meow');
  await putFile(paths.root, 'uploads/dog.txt', 'woof');
  expect(await readFile(join(dist, 'p/uploads/dog.txt'), 'utf8')).toBe('woof');
});

test('a link that leads nowhere is left out and named, and all else is released', async () => {
  const paths = await tempSite(SITE);
  await symlink('me@laptop.4711:17', join(paths.root, 'public/.#a.txt'));
  await putFile(paths.root, 'public/deep/b.txt', 'b');
  await symlink('gone.txt', join(paths.root, 'public/deep/link.txt'));
  const user: UserConfig = {
    entry: 'server.js',
    copy: [{ from: 'public' }, { from: 'server.js' }],
  };
  const { id } = await startBuild(paths, false, user).release;
  const dist = join(releaseDir(paths, id), 'dist');
  expect(await filesIn(dist)).toEqual(['a.txt', 'deep', 'server.js']);
  expect(await filesIn(join(dist, 'deep'))).toEqual(['b.txt']);
  const log = await readFile(join(releaseDir(paths, id), 'build.log'), 'utf8');
  expect(log).toMatch(
    /leads nowhere: the link (\.#a\.txt, deep\/link\.txt|deep\/link\.txt, \.#a\.txt)/,
  );
});

test('what is not there fails the build, and says what to do', async () => {
  const paths = await tempSite(SITE);
  await expect(build(paths, { build: 'true', copy: [{ from: 'out' }] })).rejects.toMatchObject({
    code: 'BUILD_EMPTY',
    message: expect.stringContaining('there is no out to copy'),
    hint: expect.stringContaining('"copy"'),
  });
  expect(await readdir(paths.releases)).toEqual([]);
});

test('a static site needs a folder to serve', async () => {
  const paths = await tempSite({ 'public/index.html': 'x' });
  const copy = [{ from: 'public' }];
  await build(paths, { build: false, copy, entry: 'static:' });
  await putFile(paths.root, 'public/sub/index.html', 'x');
  await build(paths, { build: false, copy, entry: 'static:sub' });
  await expect(build(paths, { build: false, copy, entry: 'static:other' })).rejects.toMatchObject({
    code: 'BUILD_EMPTY',
  });
});
