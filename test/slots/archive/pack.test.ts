import {
  chmod,
  lstat,
  mkdir,
  readFile,
  readlink,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { packRelease } from '../../../src/slots/archive/pack.ts';
import { unpackRelease } from '../../../src/slots/archive/unpack.ts';
import { linkDeps } from '../../../src/slots/deps.ts';
import { releaseDir, type SitePaths } from '../../../src/slots/paths.ts';
import { addSource, readRelease } from '../../../src/slots/release.ts';
import { inPieces, MACHINE, packed } from '../../support/archives.ts';
import { putFile, putRelease, releaseIdOf, tempSite } from '../../support/temp-site.ts';

const ID = releaseIdOf(1);

function unpack(paths: SitePaths, { manifest, bytes }: Awaited<ReturnType<typeof packed>>) {
  return unpackRelease(paths, manifest, inPieces(bytes), { machine: MACHINE });
}

test('a release comes out as it went in: content, folders, links and what is executable', async () => {
  const from = await tempSite();
  const release = await putRelease(from, ID, { changed: ['content/a.md'] });
  const dir = releaseDir(from, ID);
  await writeFile(join(dir, 'build.log'), 'built\n');
  await putFile(dir, 'dist/deep/ä/page.html', '<p>');
  await putFile(dir, 'dist/large.bin', 'x'.repeat(700_001));
  await putFile(dir, `dist/${'long-name-'.repeat(20)}`, 'long');
  await putFile(dir, 'dist/run.sh', '#!/bin/sh');
  await chmod(join(dir, 'dist/run.sh'), 0o700);
  await mkdir(join(dir, 'dist/empty'));
  await symlink('../server.mjs', join(dir, 'dist/deep/link'));
  const to = await tempSite();
  expect(await unpack(to, await packed(from, ID))).toEqual(release);
  expect(await readRelease(to, ID)).toEqual(release);
  const out = releaseDir(to, ID);
  expect(await readFile(join(out, 'build.log'), 'utf8')).toBe('built\n');
  expect(await readFile(join(out, 'dist/deep/ä/page.html'), 'utf8')).toBe('<p>');
  expect(await readFile(join(out, 'dist/large.bin'), 'utf8')).toBe('x'.repeat(700_001));
  expect(await readFile(join(out, `dist/${'long-name-'.repeat(20)}`), 'utf8')).toBe('long');
  expect(await readFile(join(out, 'dist/deep/link'), 'utf8')).toBe(ID);
  expect((await lstat(join(out, 'dist/empty'))).isDirectory()).toBe(true);
  expect((await lstat(join(out, 'dist/run.sh'))).mode & 0o111).not.toBe(0);
  expect((await lstat(join(out, 'dist/server.mjs'))).mode & 0o111).toBe(0);
});

test('files have the time of their release, which visitors see as Last-Modified', async () => {
  const from = await tempSite();
  await putRelease(from, ID, { createdAt: '2026-03-04T05:06:07.000Z' });
  const to = await tempSite();
  await unpack(to, await packed(from, ID));
  const { mtime } = await lstat(join(releaseDir(to, ID), 'dist/server.mjs'));
  expect(mtime.toISOString()).toBe('2026-03-04T05:06:07.000Z');
});

test('equal content gives equal bytes, whatever its times, its modes and the order it was written in', async () => {
  const files = ['b/c', 'a', 'B', 'b-', 'b/a'];
  const archives = [];
  for (const order of [files, files.toReversed()]) {
    const paths = await tempSite();
    await putRelease(paths, ID);
    for (const [index, file] of order.entries()) {
      const path = join(releaseDir(paths, ID), 'dist', file);
      await putFile(dirname(path), file.split('/').at(-1) as string, file);
      await utimes(path, index, index);
      await chmod(path, order === files ? 0o600 : 0o666);
    }
    archives.push(await packed(paths, ID));
  }
  expect(archives[0]?.bytes.equals(archives[1]?.bytes as Buffer)).toBe(true);
  expect(archives[0]?.manifest).toEqual(archives[1]?.manifest);
});

test('an archive is the same on the machine that unpacked it, whatever that has noted since', async () => {
  const from = await tempSite();
  await putRelease(from, ID);
  const first = await packed(from, ID);
  const to = await tempSite();
  await unpack(to, first);
  await addSource(to, ID, ['b'.repeat(64)]);
  for (const note of ['crash.txt', 'written.txt', 'read.txt', 'ports.txt']) {
    await writeFile(join(releaseDir(to, ID), note), 'noted');
  }
  const second = await packed(to, ID);
  expect(second.bytes.equals(first.bytes)).toBe(true);
  expect(second.manifest).toEqual(first.manifest);
});

const name = fc.constantFrom('a', 'b', 'ü', 'a.b', 'A', '-', ' ', 'x'.repeat(120));
const tree = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ bytes: fc.uint8Array({ maxLength: 2000 }), executable: fc.boolean() }),
    fc.dictionary(name, tie('node'), { maxKeys: 4 }),
  ),
})).node;

async function plant(dir: string, node: unknown): Promise<void> {
  if (node && typeof node === 'object' && 'bytes' in node && node.bytes instanceof Uint8Array) {
    await writeFile(dir, node.bytes);
    if ('executable' in node && node.executable) await chmod(dir, 0o755);
    return;
  }
  await mkdir(dir);
  for (const [below, child] of Object.entries(node as object)) await plant(join(dir, below), child);
}

test('packing what was unpacked gives the same bytes, for every tree of files', async () => {
  await fc.assert(
    fc.asyncProperty(tree, async (content) => {
      const from = await tempSite();
      await putRelease(from, ID);
      await plant(join(releaseDir(from, ID), 'dist/tree'), content);
      const first = await packed(from, ID);
      const to = await tempSite();
      await unpack(to, first);
      const second = await packed(to, ID);
      expect(second.bytes.equals(first.bytes)).toBe(true);
    }),
    { numRuns: 40 },
  );
}, 60_000);

test('a static site goes to every machine, and another needs what it was built on', async () => {
  const paths = await tempSite();
  await putRelease(paths, releaseIdOf(1), { entry: 'static:' });
  await putRelease(paths, releaseIdOf(2));
  expect((await packed(paths, releaseIdOf(1))).manifest.needs).toBeNull();
  expect((await packed(paths, releaseIdOf(2))).manifest.needs).toEqual(MACHINE);
});

test('a link to a shared folder goes along and leads to the folder of the machine that it comes to', async () => {
  const from = await tempSite({ 'data/a.txt': 'from' });
  await putRelease(from, ID);
  await symlink('../../../../data', join(releaseDir(from, ID), 'dist/data'));
  const archive = await packed(from, ID, { shared: ['data'] });
  const to = await tempSite({ 'data/a.txt': 'to' });
  await unpackRelease(to, archive.manifest, inPieces(archive.bytes), {
    machine: MACHINE,
    shared: ['data'],
  });
  expect(await readFile(join(releaseDir(to, ID), 'dist/data/a.txt'), 'utf8')).toBe('to');
  const other = await tempSite();
  await expect(unpack(other, archive)).rejects.toMatchObject({
    code: 'ARCHIVE_BAD',
    message: expect.stringContaining('data, which is not in "shared"'),
  });
});

test('a shared folder that is missing on the machine that a release comes to is made there', async () => {
  const from = await tempSite({ 'data/a.txt': 'from' });
  await putRelease(from, ID);
  await symlink('../../../../data', join(releaseDir(from, ID), 'dist/data'));
  const { manifest, bytes } = await packed(from, ID, { shared: ['data'] });
  const to = await tempSite();
  await unpackRelease(to, manifest, inPieces(bytes), { machine: MACHINE, shared: ['data'] });
  expect((await lstat(join(to.root, 'data'))).isDirectory()).toBe(true);
});

test('a release with dependencies of its own finds those of the machine, which has to have them', async () => {
  const key = '0123456789abcdef';
  const from = await tempSite();
  await putRelease(from, ID, { deps: key });
  await linkDeps(releaseDir(from, ID), key);
  const archive = await packed(from, ID);
  expect(archive.manifest.deps).toBe(key);
  const to = await tempSite();
  await expect(unpack(to, archive)).rejects.toMatchObject({
    code: 'ARCHIVE_UNFIT',
    message: `release ${ID} needs packages that are not installed here`,
  });
  await putFile(to.slots, `deps/${key}/node_modules/a/index.js`, 'a');
  await unpack(to, archive);
  const link = join(releaseDir(to, ID), 'node_modules');
  expect(await readlink(link)).toBe(`../../deps/${key}/node_modules`);
  expect(await readFile(join(link, 'a/index.js'), 'utf8')).toBe('a');
});

test.each([
  ['/etc/hostname', 'is a link to the absolute path /etc/hostname'],
  ['../../../secrets.json', 'leads out of the release'],
])('a release with a link to %s is not packed, and says which it is', async (target, why) => {
  const paths = await tempSite();
  await putRelease(paths, ID);
  await symlink(target, join(releaseDir(paths, ID), 'dist/link'));
  await expect(packed(paths, ID)).rejects.toMatchObject({
    code: 'RELEASE_UNPACKABLE',
    message: expect.stringMatching(`dist/link .*${why}`),
  });
});

test('a release that does not exist is not packed', async () => {
  await expect(packed(await tempSite(), ID)).rejects.toMatchObject({ code: 'RELEASE_UNKNOWN' });
});

test('a reader that leaves ends the packing', async () => {
  const paths = await tempSite();
  await putRelease(paths, ID);
  await putFile(releaseDir(paths, ID), 'dist/large.bin', 'x'.repeat(10_000_000));
  const { stream, manifest } = await packRelease(paths, ID, { machine: MACHINE });
  onTestFinished(() => void stream.destroy());
  for await (const _ of stream) break;
  await expect(manifest).rejects.toThrow();
});
