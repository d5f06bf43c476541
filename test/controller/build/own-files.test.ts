import { mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { releaseDir, type SitePaths } from '../../../src/slots/paths.ts';
import { EMPTY_STATE, writeState } from '../../../src/slots/state.ts';
import { startBuild } from '../../support/build-site.ts';
import { filesBelow } from '../../support/files-below.ts';
import { putKeptFiles } from '../../support/kept-files.ts';
import { putFile, tempSite } from '../../support/temp-site.ts';

const SITE = { 'server.js': 'serve', 'public/a.txt': 'a', 'src/content/a.md': 'a' };

/** A site that has been running: what `slots/` holds then, with a token that nobody may read. */
async function runningSite(files: Record<string, string> = {}) {
  const paths = await tempSite({ ...SITE, ...files });
  await startBuild(paths, 'cp server.js {outDir}', { entry: 'server.js' }).release;
  await writeState(paths, EMPTY_STATE);
  for (const name of ['history.jsonl', 'admin-token', 'failed-build.log']) {
    await putFile(paths.slots, name, `the ${name}`);
  }
  await putKeptFiles(paths, { '/a-3f2a9c1b.js': 'kept' });
  return paths;
}

/** Builds with these settings, and tells what is in the release and what was said. */
async function built(paths: SitePaths, build: string | false, more = {}) {
  const running = startBuild(paths, build, { entry: 'server.js', ...more });
  const { id } = await running.release;
  const dist = join(releaseDir(paths, id), 'dist');
  return { dist, files: Object.keys(await filesBelow(dist)), notices: running.notices };
}

const nothingOfOurs = (files: string[]) =>
  files.filter((file) =>
    /admin-token|secrets|state\.json|history|releases|slots\.config|files\/[0-9a-f]{64}/.test(file),
  );

test.each<[string, string | false, object]>([
  ['copies the whole folder by itself', 'cp -r server.js public slots {outDir} || true', {}],
  ['follows links', 'ln -s ../slots public/up && cp -rL server.js public {outDir} || true', {}],
  [
    'traces the project into a folder that is copied',
    'mkdir -p out && cp -r server.js slots out',
    { copy: [{ from: 'out' }] },
  ],
  [
    'traces a workspace, deeper down',
    'mkdir -p out/apps/web && cp server.js out && cp -r slots out/apps/web',
    { copy: [{ from: 'out' }] },
  ],
  [
    'traces releases only',
    'mkdir -p out/slots && cp server.js out && cp -r slots/releases out/slots',
    { copy: [{ from: 'out' }] },
  ],
  ['copies single releases', 'cp -r server.js slots/releases/* {outDir} || true', {}],
  [
    'copies slots under another name',
    'cp server.js {outDir}; cp -r slots {outDir}/backup || true',
    {},
  ],
  ['copies the kept files alone', 'cp server.js {outDir}; cp -r slots/assets {outDir}/kept', {}],
  ['copies the keys alone', 'cp server.js slots/secrets.json {outDir}', {}],
  ['copies the token alone', 'cp server.js slots/admin-token {outDir}', {}],
  [
    'copies the history alone',
    'mkdir {outDir}/log; cp server.js {outDir}; cp slots/history.jsonl {outDir}/log',
    {},
  ],
  [
    'copies the state alone',
    'mkdir {outDir}/log; cp server.js {outDir}; cp slots/state.json {outDir}/log',
    {},
  ],
  ['is only a copy', false, { copy: [{ from: '.' }] }],
  ['is a copy with a link to slots in it', 'ln -s ../slots public/up', { copy: [{ from: '.' }] }],
  ['is a copy with a link to all of the site', 'ln -s .. public/up', { copy: [{ from: '.' }] }],
])('a build that %s puts nothing of slots into its release', async (_how, build, more) => {
  const paths = await runningSite({ 'slots.config.json': '{}' });
  const { dist, files } = await built(paths, build, more);
  expect(files).toContain('server.js');
  expect(nothingOfOurs(files)).toEqual([]);
  expect(await readdir(dist)).not.toContain('slots');
  expect(files.filter((file) => file.startsWith('public/up'))).toEqual([]);
});

test('a file of the site with the name of one of ours stays in its release', async () => {
  const paths = await runningSite({
    'public/history.jsonl': 'of the site',
    'public/state.json': '{}',
  });
  const { files } = await built(paths, 'cp -r server.js public {outDir}');
  expect(files).toEqual(expect.arrayContaining(['public/history.jsonl', 'public/state.json']));
});

test('what was left out of a release is said, in the log of its build too', async () => {
  const paths = await runningSite();
  const { notices } = await built(paths, 'cp -r server.js slots {outDir} || true');
  expect(notices).toEqual([expect.stringMatching(/^left out of the release.*: slots; /)]);
});

test('releases do not grow from one to the next, whatever a build copies', async () => {
  const paths = await runningSite({ 'public/photo.jpg': 'x'.repeat(200_000) });
  const sizes: (number | undefined)[] = [];
  for (let edit = 0; edit < 4; edit++) {
    const release = startBuild(paths, 'mkdir -p out; cp -r server.js public slots out', {
      entry: 'server.js',
      copy: [{ from: 'out' }],
    }).release;
    sizes.push((await release).size?.release);
  }
  expect(new Set(sizes).size).toBe(1);
});

test('copying slots on purpose is refused by name', async () => {
  const paths = await runningSite();
  for (const from of ['slots', 'slots/releases', 'slots/admin-token']) {
    const refused = startBuild(paths, 'cp server.js {outDir}', { copy: [{ from }] }).release;
    await expect(refused).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: `"copy" names ${from}, which belongs to slots`,
    });
  }
  await symlink('slots', join(paths.root, 'linked'));
  const linked = startBuild(paths, 'cp server.js {outDir}', { copy: [{ from: 'linked' }] });
  await expect(linked.release).rejects.toMatchObject({ code: 'BUILD_FAILED' });
});

test('pages of a site that lie below /slots are its own', async () => {
  const paths = await runningSite();
  const { files } = await built(
    paths,
    'mkdir -p {outDir}/client/slots/releases && cp server.js {outDir} && echo x > {outDir}/client/slots/index.html && echo x > {outDir}/client/slots/releases/index.html',
  );
  expect(files).toContain('client/slots/index.html');
  expect(files).toContain('client/slots/releases/index.html');
});

test('links within the output and to packages of the site stay', async () => {
  const paths = await runningSite({ 'node_modules/x/index.js': 'x' });
  await mkdir(join(paths.root, 'lib'));
  const { dist } = await built(
    paths,
    'cp server.js {outDir}; ln -s server.js {outDir}/index.js; ln -s "$PWD/node_modules/x" {outDir}/x',
  );
  expect(await readlink(join(dist, 'index.js'))).toBe('server.js');
  expect(await readlink(join(dist, 'x'))).toBe(join(paths.root, 'node_modules/x'));
});
