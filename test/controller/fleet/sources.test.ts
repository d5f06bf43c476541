import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pino from 'pino';
import { expect, test } from 'vitest';
import type { SourceManifest, SourceStore } from '../../../src/controller/fleet/source-store.ts';
import { createSources, filesOf } from '../../../src/controller/fleet/sources.ts';
import { sitePaths } from '../../../src/slots/paths.ts';
import { readSource } from '../../../src/slots/source.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { testConfig } from '../../support/test-config.ts';

const digestOf = (text: string) => createHash('sha256').update(text).digest('hex');

type Texts = Record<string, string>;

/**
 * A machine with these files, of which it has built release r1, and a store with release r2 of another machine.
 *
 * @param meanwhile runs while a file's bytes are on their way here
 */
async function twoReleases(first: Texts, second: Texts, meanwhile = async (_root: string) => {}) {
  const root = await tempFolder();
  const paths = sitePaths(root);
  await mkdir(paths.slots, { recursive: true });
  for (const [path, text] of Object.entries(first)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  const config = testConfig({ watch: ['content'] });
  const files = Object.fromEntries(Object.entries(second).map(([p, text]) => [p, digestOf(text)]));
  const there: SourceManifest = { release: 'r2', files };
  const sourceStore: SourceStore = {
    publish: async () => {},
    renew: async () => {},
    prune: async () => {},
    fetch: async (release) => (release === 'r2' ? there : null),
    async file(hash) {
      await meanwhile(root);
      const text = Object.values(second).find((one) => digestOf(one) === hash) as string;
      return Buffer.from(text);
    },
  };
  const read = () => readSource(root, config);
  const log = pino({ level: 'silent' });
  const sources = createSources({ config, paths, log, sourceStore, read, hold: () => () => {} });
  await sources.publish('r1', filesOf(await read()));
  await sources.take('r1');
  const here = (path: string) => readFile(join(root, path), 'utf8');
  return { root, sources, here };
}

const PAGE = 'content/page.md';

test('what another machine has edited is taken over, and keeps its mode here', async () => {
  const { root, sources, here } = await twoReleases(
    { [PAGE]: 'one', 'content/old.md': 'old' },
    { [PAGE]: 'two', 'content/new/page.md': 'new' },
  );
  await chmod(join(root, PAGE), 0o640);
  await sources.take('r2');
  expect([await here(PAGE), await here('content/new/page.md')]).toEqual(['two', 'new']);
  expect((await stat(join(root, PAGE))).mode & 0o777).toBe(0o640);
  expect((await readdir(join(root, 'content'))).sort()).toEqual(['new', 'page.md']);
  expect(await sources.standing('r2')).toEqual({ is: 'clean' });
});

test('an edit that is made while the other machine’s bytes are on their way is kept, and said', async () => {
  const { root, sources, here } = await twoReleases({ [PAGE]: 'one' }, { [PAGE]: 'two' }, (at) =>
    writeFile(join(at, PAGE), 'mine'),
  );
  await sources.take('r2');
  expect(await here(PAGE)).toBe('mine');
  expect(await readdir(join(root, 'content'))).toEqual(['page.md']);
  expect(await sources.standing('r2')).toEqual({ is: 'conflict', files: [PAGE], why: 'both' });
});

test('a file that is made here while another machine’s of its name is on its way is kept', async () => {
  const { sources, here } = await twoReleases(
    { [PAGE]: 'one' },
    { [PAGE]: 'one', 'content/note.md': 'theirs' },
    (at) => writeFile(join(at, 'content/note.md'), 'mine'),
  );
  await sources.take('r2');
  expect(await here('content/note.md')).toBe('mine');
});

test('a file that was deleted elsewhere and is edited here meanwhile is kept', async () => {
  const { sources, here } = await twoReleases(
    { 'content/z-old.md': 'old', 'content/a.md': 'one' },
    { 'content/a.md': 'two' },
    (at) => writeFile(join(at, 'content/z-old.md'), 'mine'),
  );
  await sources.take('r2');
  expect([await here('content/a.md'), await here('content/z-old.md')]).toEqual(['two', 'mine']);
});

test('a file that is deleted here while another machine’s edit of it is on its way stays deleted', async () => {
  const { root, sources } = await twoReleases(
    { [PAGE]: 'one', 'content/a.md': 'a' },
    { [PAGE]: 'two', 'content/a.md': 'a' },
    (at) => rm(join(at, PAGE)),
  );
  await sources.take('r2');
  expect(await readdir(join(root, 'content'))).toEqual(['a.md']);
});
