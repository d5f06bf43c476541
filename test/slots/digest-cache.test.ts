import { mkdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type DigestCache, openDigestCache } from '../../src/slots/digest-cache.ts';
import { readSource } from '../../src/slots/source.ts';
import { putFile, tempSite } from '../support/temp-site.ts';
import { until } from '../support/until.ts';

const CONFIG = { watch: ['content'], ignore: [], shared: [] };

/** A site whose files are old enough to be trusted, and the paths that are read. */
async function site(files: Record<string, string>) {
  const paths = await tempSite(files);
  await mkdir(paths.slots);
  await oldEnough(paths.root, Object.keys(files));
  const open = async () => counting((await openDigestCache(paths.sourceCache)).cache);
  return { ...paths, open };
}

async function oldEnough(root: string, files: string[]): Promise<void> {
  const changed = await Promise.all(
    files.map(async (path) => (await stat(join(root, path))).ctimeMs),
  );
  await until(() => Date.now() > Math.max(...changed) + 2600, 'the files to be old');
}

/** Tells how many files had to be read. */
function counting(cache: DigestCache) {
  let misses = 0;
  const counted: DigestCache = {
    ...cache,
    get(path, stamp) {
      const found = cache.get(path, stamp);
      if (found === undefined) misses++;
      return found;
    },
  };
  return {
    cache: counted,
    reads() {
      const reads = misses;
      misses = 0;
      return reads;
    },
  };
}

test('a file is read again only once it has been written, in the next process too', async () => {
  const { root, open } = await site({ 'content/a.md': 'a', 'content/b.md': 'b' });
  const { cache, reads } = await open();
  const first = await readSource(root, CONFIG, cache);
  expect(reads()).toBe(2);
  expect(await readSource(root, CONFIG, cache)).toEqual(first);
  expect(reads()).toBe(0);
  await cache.save([]);

  const next = await open();
  expect(await readSource(root, CONFIG, next.cache)).toEqual(first);
  expect(next.reads()).toBe(0);
  await putFile(root, 'content/a.md', 'changed');
  const changed = await readSource(root, CONFIG, next.cache);
  expect(next.reads()).toBe(1);
  expect(changed.hash).not.toBe(first.hash);
  expect(changed).toEqual(await readSource(root, CONFIG));
});

test('a file that is written with its old size and under its old time is read again', async () => {
  const { root, open } = await site({ 'content/a.md': 'aaaa' });
  const { cache } = await open();
  const before = await readSource(root, CONFIG, cache);
  const file = join(root, 'content/a.md');
  const { atime, mtime } = await stat(file);
  await writeFile(file, 'bbbb');
  await utimes(file, atime, mtime);
  expect((await stat(file)).mtimeMs).toBe(mtime.getTime());
  const after = await readSource(root, CONFIG, cache);
  expect(after.hash).not.toBe(before.hash);
  expect(after.hash).toBe((await readSource(root, CONFIG)).hash);
});

test('a file that another of the same size and time is renamed over is read again', async () => {
  const { root, open } = await site({ 'content/a.md': 'aaaa', 'other.md': 'bbbb' });
  const { atime, mtime } = await stat(join(root, 'content/a.md'));
  await utimes(join(root, 'other.md'), atime, mtime);
  await oldEnough(root, ['other.md']);
  const { cache } = await open();
  const before = await readSource(root, CONFIG, cache);
  await rename(join(root, 'other.md'), join(root, 'content/a.md'));
  expect((await readSource(root, CONFIG, cache)).hash).not.toBe(before.hash);
});

test('a file that was changed right before it was read is not trusted to have stayed', async () => {
  const { cache } = await openDigestCache('/nowhere/source.json');
  const readNs = 10_000_000_000n;
  cache.put('young', 's', 'd', { changedNs: readNs - 2_000_000_000n, readNs, bytes: 1 });
  cache.put('old', 's', 'd', { changedNs: readNs - 3_000_000_000n, readNs, bytes: 1 });
  cache.put('from the future', 's', 'd', { changedNs: readNs + 1n, readNs, bytes: 1 });
  expect(['young', 'old', 'from the future'].map((path) => cache.get(path, 's'))).toEqual([
    undefined,
    'd',
    undefined,
  ]);
  expect(cache.get('old', 'another stamp')).toBeUndefined();
});

test('a large file is trusted soon where the file system keeps time exactly', async () => {
  const { cache } = await openDigestCache('/nowhere/source.json');
  const changedNs = 10_123_456_789n;
  const bytes = 2 ** 30;
  const soon = changedNs + 100_000_000n;
  cache.put('exact', 's', 'd', { changedNs, readNs: soon, bytes });
  cache.put('just now', 's', 'd', { changedNs, readNs: changedNs + 10_000_000n, bytes });
  cache.put('in seconds', 's', 'd', { changedNs: 10_000_000_000n, readNs: soon, bytes });
  expect(['exact', 'just now', 'in seconds'].map((path) => cache.get(path, 's'))).toEqual([
    'd',
    undefined,
    undefined,
  ]);
});

test('what is gone is forgotten, and files that builds write are remembered', async () => {
  const { root, sourceCache, open } = await site({ 'content/a.md': 'a', 'content/b.md': 'b' });
  const { cache } = await open();
  await readSource(root, CONFIG, cache);
  await rename(join(root, 'content/b.md'), join(root, 'b.md'));
  await readSource(root, CONFIG, cache);
  await cache.save(['content/tags.json']);
  const saved = JSON.parse(await readFile(sourceCache, 'utf8'));
  expect(Object.keys(saved.files)).toEqual([join(root, 'content/a.md')]);
  expect((await openDigestCache(sourceCache)).written).toEqual(['content/tags.json']);
});

test.each(['', '{', 'null', '[]', '{"version":2}', '{"version":1,"files":{"a":1},"written":[]}'])(
  'a file with %j in it is no cache, and does no harm',
  async (text) => {
    const { root, sourceCache, open } = await site({ 'content/a.md': 'a' });
    await writeFile(sourceCache, text);
    const { cache } = await open();
    expect(await readSource(root, CONFIG, cache)).toEqual(await readSource(root, CONFIG));
  },
);
