import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { releaseDir, sitePaths } from '../../../src/slots/paths.ts';
import { listReleases, type Release } from '../../../src/slots/release.ts';
import { RELEASE_ID } from '../../../src/slots/release-id.ts';
import { readSharedKeys, sharedKeys } from '../../../src/slots/secrets.ts';
import { readSource } from '../../../src/slots/source.ts';
import { startBuild } from '../../support/build-site.ts';
import { putFile, tempSite } from '../../support/temp-site.ts';
import { testConfig } from '../../support/test-config.ts';

const CONTENT = { 'src/content/a.md': 'hello' };

/** Builds an entry that prints the two ways in which the command can know its output folder. */
const COPY = 'cp src/content/a.md {outDir}/server.mjs';

const dist = (root: string, { id }: Release) => join(releaseDir(sitePaths(root), id), 'dist');
const entryOf = (root: string, release: Release) =>
  readFile(join(dist(root, release), 'server.mjs'), 'utf8');

test('a build becomes a release that says what it was built from, why and for how long', async () => {
  const paths = await tempSite(CONTENT);
  const release = await startBuild(paths, COPY).release;
  const { hash } = await readSource(paths.root, testConfig());
  expect(release).toEqual({
    id: expect.stringMatching(RELEASE_ID),
    createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    trigger: 'edit',
    changed: ['src/content/a.md'],
    commit: null,
    buildMs: expect.any(Number),
    sourceHash: hash,
    entry: 'server.mjs',
    client: [],
    size: { release: 5, source: 5 },
    unsettled: false,
  });
  expect(release.id.endsWith(hash.slice(0, 6))).toBe(true);
  expect(await listReleases(paths)).toEqual([release]);
  expect(await entryOf(paths.root, release)).toBe('hello');
});

test('a build names its release before it begins', async () => {
  const paths = await tempSite(CONTENT);
  const seen: string[][] = [];
  const onNamed = async (id: string) => {
    seen.push([id], await readdir(paths.root));
  };
  const { id } = await startBuild(paths, COPY, { onNamed }).release;
  expect(seen).toEqual([[id], ['src']]);
});

test('a build made twice in one second becomes two releases', async () => {
  const paths = await tempSite(CONTENT);
  const one = await startBuild(paths, COPY).release;
  const two = await startBuild(paths, COPY).release;
  expect(two.id > one.id).toBe(true);
  expect(await listReleases(paths)).toEqual([two, one]);
});

test('a build is marked when the watched files changed while it read them', async () => {
  const paths = await tempSite(CONTENT);
  const writes = `${COPY} && echo more > src/content/b.md`;
  expect(await startBuild(paths, writes).release).toMatchObject({ unsettled: true });
});

test('a build runs in the folder of the site, with the programs of its node_modules', async () => {
  const paths = await tempSite(CONTENT);
  const tool = '#!/bin/sh\npwd > "$SLOTS_OUT_DIR/server.mjs"\n';
  await putFile(paths.root, 'node_modules/.bin/site-tool', tool);
  const chmod = 'chmod +x node_modules/.bin/site-tool && site-tool';
  const release = await startBuild(paths, chmod).release;
  expect(await entryOf(paths.root, release)).toBe(`${paths.root}\n`);
  const again = await startBuild(paths, ['site-tool']).release;
  expect(await entryOf(paths.root, again)).toBe(`${paths.root}\n`);
});

test('a build has the environment of the config, and nothing to read from', async () => {
  const paths = await tempSite(CONTENT);
  const build = 'cat > {outDir}/server.mjs; echo "$GREETING" >> {outDir}/server.mjs';
  const release = await startBuild(paths, build, { env: { GREETING: 'hi' } }).release;
  expect(await entryOf(paths.root, release)).toBe('hi\n');
});

const SPACED = `it's a "site" $HOME & (more)`;
const script = `require('fs').writeFileSync(process.argv[1] + '/server.mjs', process.argv[1])`;

test.each<[string, string | string[]]>([
  ['{outDir} in a list of words', ['node', '-e', script, '{outDir}']],
  [
    '{outDir} inside a word',
    [
      'node',
      '-e',
      `const out = process.argv[1].slice(4); ${script.replaceAll('process.argv[1]', 'out')}`,
      'out={outDir}',
    ],
  ],
  ['{outDir} before a letter', 'mkdir "{outDir}x" && printf %s {outDir} > {outDir}/server.mjs'],
  ['a bare {outDir} for a shell', 'printf %s {outDir} > {outDir}/server.mjs'],
  ['{outDir} in double quotes', 'printf %s "{outDir}" > "{outDir}/server.mjs"'],
  ['{outDir} in single quotes', `printf %s '{outDir}' > '{outDir}'/server.mjs`],
  [
    '{outDir} after other quotes',
    `echo "it's" 'a "' \\" && printf %s {outDir} > {outDir}/server.mjs`,
  ],
  [
    '{outDir} in the middle of a word',
    `o=--o={outDir}; printf %s "\${o#--o=}" > {outDir}/server.mjs`,
  ],
  ['SLOTS_OUT_DIR', 'printf %s "$SLOTS_OUT_DIR" > "$SLOTS_OUT_DIR/server.mjs"'],
])('the output folder is given by %s, whatever its path has in it', async (_name, build) => {
  const { root } = await tempSite();
  const paths = sitePaths(join(root, SPACED));
  await putFile(paths.root, 'src/content/a.md', 'hello');
  const release = await startBuild(paths, build).release;
  expect(await entryOf(paths.root, release)).toBe(
    join(paths.releases, `${release.id}.partial`, 'dist'),
  );
});

test('the output of a build is in build.log as it came, and told line by line without colours', async () => {
  const paths = await tempSite(CONTENT);
  const print = `printf '\\033[32mgreen\\033[0m\\r\\n\\n  two  \\nlast' && echo problem >&2 && ${COPY}`;
  const build = startBuild(paths, print);
  const { id } = await build.release;
  expect(build.lines).toEqual(['green', 'two', 'lastproblem']);
  const log = await readFile(join(releaseDir(paths, id), 'build.log'), 'utf8');
  expect(log).toBe('\u001b[32mgreen\u001b[0m\r\n\n  two  \nlastproblem\n');
});

test('the output of a build is in build.log and told while the build still runs', async () => {
  const paths = await tempSite(CONTENT);
  const go = join(paths.root, 'go');
  const waits = `echo begun; while [ ! -e go ]; do sleep 0.05; done; ${COPY}`;
  let dir = '';
  const onNamed = async (id: string) => {
    dir = `${releaseDir(paths, id)}.partial`;
  };
  const build = startBuild(paths, waits, { onNamed });
  await expect.poll(() => build.lines).toEqual(['begun']);
  await expect.poll(() => readFile(join(dir, 'build.log'), 'utf8')).toBe('begun\n');
  await writeFile(go, '');
  await build.release;
});

test('the output of a build may be large, in lines', async () => {
  const paths = await tempSite(CONTENT);
  const build = startBuild(paths, `yes 'a line of output' | head -n 200000; ${COPY}`);
  const { id } = await build.release;
  expect(build.lines).toHaveLength(200_000);
  const log = await readFile(join(releaseDir(paths, id), 'build.log'));
  expect(log.length).toBe(200_000 * 'a line of output\n'.length);
});

test('the output of a build may be one long line, which is told only in part', async () => {
  const paths = await tempSite(CONTENT);
  const build = startBuild(paths, `head -c 10000000 /dev/zero | tr '\\0' x; ${COPY}`);
  const { id } = await build.release;
  expect(build.lines).toEqual(['x'.repeat(2000)]);
  const log = await readFile(join(releaseDir(paths, id), 'build.log'));
  expect(log.length).toBe(10_000_000);
});

test('a release names those of the client folders that its build has written', async () => {
  const paths = await tempSite(CONTENT);
  const build =
    'mkdir -p "{outDir}/dist/client" "{outDir}/dist/x" && cp src/content/a.md "{outDir}/server.mjs"';
  const client = ['dist/client', 'public', 'server.mjs'].map((folder) => ({ folder, url: '/' }));
  const release = await startBuild(paths, build, { client }).release;
  expect(release.client).toEqual([{ folder: 'dist/client', url: '/' }]);
});

const PRINT_KEYS =
  'node -p "process.env.ASTRO_KEY + process.env.NEXT_SERVER_ACTIONS_ENCRYPTION_KEY" | tee {outDir}/server.mjs';

test('every build of a site gets the same keys, which its log does not show', async () => {
  const paths = await tempSite(CONTENT);
  const first = startBuild(paths, PRINT_KEYS);
  const before = await entryOf(paths.root, await first.release);
  const second = startBuild(paths, PRINT_KEYS);
  const after = await entryOf(paths.root, await second.release);
  const keys = await sharedKeys(paths);
  expect(before.trim()).toBe(keys.ASTRO_KEY + keys.NEXT_SERVER_ACTIONS_ENCRYPTION_KEY);
  expect(after).toBe(before);
  expect(first.lines).toContain('[ASTRO_KEY][NEXT_SERVER_ACTIONS_ENCRYPTION_KEY]');
});

test('a key that the config has is the one that builds get', async () => {
  const paths = await tempSite(CONTENT);
  const release = await startBuild(paths, PRINT_KEYS, { env: { ASTRO_KEY: 'my own' } }).release;
  expect(await entryOf(paths.root, release)).toMatch(/^my own/);
});

test('builds get no keys where skew is off, and none are made', async () => {
  const paths = await tempSite(CONTENT);
  const release = await startBuild(paths, PRINT_KEYS, { skew: false }).release;
  expect((await entryOf(paths.root, release)).trim()).toBe('NaN');
  expect(readSharedKeys(paths)).toEqual({});
});
