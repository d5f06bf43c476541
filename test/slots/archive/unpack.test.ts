import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import type { Manifest } from '../../../src/slots/archive/manifest.ts';
import { type UnpackOptions, unpackRelease } from '../../../src/slots/archive/unpack.ts';
import { releaseDir, type SitePaths } from '../../../src/slots/paths.ts';
import {
  FORGED_ID,
  type ForgedEntry,
  forge,
  inPieces,
  MACHINE,
  type Packed,
  packed,
} from '../../support/archives.ts';
import { filesBelow } from '../../support/files-below.ts';
import { putFile, putRelease, releaseIdOf, tempSite } from '../../support/temp-site.ts';

const ID = releaseIdOf(1);

/** Refused with this code and message, and nothing of it is left anywhere in the site. */
async function refused(
  { manifest, bytes }: Packed,
  code: string,
  message: RegExp,
  {
    paths = undefined as SitePaths | undefined,
    ...options
  }: Partial<UnpackOptions> & {
    paths?: SitePaths | undefined;
  } = {},
): Promise<void> {
  const site = paths ?? (await tempSite());
  const before = await filesBelow(site.root);
  const stream = Readable.from(inPieces(bytes), { objectMode: false });
  await expect(
    unpackRelease(site, manifest, stream, { machine: MACHINE, ...options }),
  ).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  expect(await filesBelow(site.root)).toEqual(before);
  expect(await readdir(site.releases).catch(() => [])).toEqual(paths ? [manifest.id] : []);
  expect(stream.destroyed).toBe(true);
}

const FILE: ForgedEntry = { name: 'dist/server.mjs', body: 'export {}' };

test('what the hostile archives of these tests are made of is a good one', async () => {
  const paths = await tempSite();
  const { manifest, bytes } = await forge([FILE]);
  await unpackRelease(paths, manifest, inPieces(bytes), { machine: MACHINE });
  expect(await readdir(paths.releases)).toEqual([FORGED_ID]);
});

test.each<[string, ForgedEntry[], RegExp]>([
  ['an absolute path', [{ name: '/tmp/x', body: 'x' }], /"\/tmp\/x", which is an absolute path/],
  ['a path that goes up', [{ name: 'dist/../../x', body: 'x' }], /leads out of the release/],
  ['a path beside the release', [{ name: '../x', body: 'x' }], /leads out of the release/],
  ['a file that no release has', [{ name: 'x', body: 'x' }], /is nothing that a release has/],
  [
    'a link to packages',
    [{ name: 'node_modules', type: 'symlink', linkname: '/' }],
    /nothing that/,
  ],
  ['a file twice', [FILE, FILE], /is in it twice/],
  ['a folder twice', [{ name: 'dist', type: 'directory' }], /is in it twice/],
  [
    'a file through a link',
    [
      { name: 'dist/a', type: 'symlink', linkname: '.' },
      { name: 'dist/a/x', body: 'x' },
    ],
    /lies in no folder of it/,
  ],
  [
    'a file over a link',
    [
      { name: 'dist/a', type: 'symlink', linkname: 'b' },
      { name: 'dist/a', body: 'x' },
    ],
    /is in it twice/,
  ],
  [
    'an absolute link',
    [{ name: 'dist/a', type: 'symlink', linkname: '/etc/passwd' }],
    /a link to the absolute path \/etc\/passwd/,
  ],
  [
    'a link that leads out',
    [{ name: 'dist/a', type: 'symlink', linkname: '../../../secrets.json' }],
    /a link that leads out of the release/,
  ],
  [
    'a link that leads out by way of another',
    [
      { name: 'dist/a', type: 'directory' },
      { name: 'dist/a/up', type: 'symlink', linkname: '..' },
      { name: 'dist/out', type: 'symlink', linkname: 'a/up/../x' },
    ],
    /goes down and up again/,
  ],
  ['a hard link', [{ name: 'dist/a', type: 'link', linkname: '/etc/passwd' }], /is a link/],
  ['a device', [{ name: 'dist/a', type: 'character-device', devmajor: 1, devminor: 3 }], /device/],
  ['a block device', [{ name: 'dist/a', type: 'block-device' }], /is a block-device/],
  ['a pipe', [{ name: 'dist/a', type: 'fifo' }], /is a fifo/],
])('an archive with %s is refused and leaves nothing behind', async (_, entries, why) => {
  await refused(await forge(entries), 'ARCHIVE_BAD', why);
});

test('an archive whose path is told by an extended header is judged by that', async () => {
  const long = await forge([{ name: 'dist/a', body: 'x', pax: { path: '/tmp/x' } }]);
  await refused(long, 'ARCHIVE_BAD', /absolute path/);
});

test('an archive with more or fewer bytes than its manifest says is refused', async () => {
  const good = await forge([FILE]);
  const { bytes } = good.manifest;
  const claim = (changes: Partial<Manifest>) => ({
    ...good,
    manifest: { ...good.manifest, ...changes },
  });
  await refused(claim({ bytes: bytes - 1 }), 'ARCHIVE_BAD', /has more than \d+ bytes/);
  await refused(claim({ bytes: bytes + 1 }), 'ARCHIVE_BAD', /has \d+ bytes and not/);
  const { unpackedBytes, entries } = good.manifest;
  for (const wrong of [unpackedBytes - 512, unpackedBytes + 512]) {
    await refused(claim({ unpackedBytes: wrong }), 'ARCHIVE_BAD', /does not decompress to/);
  }
  await refused(claim({ entries: entries - 1 }), 'ARCHIVE_BAD', /has more than 2 entries/);
  await refused(claim({ entries: entries + 1 }), 'ARCHIVE_BAD', /has 3 entries and not 4/);
});

test('an archive with another hash than its manifest says is refused', async () => {
  const good = await forge([FILE]);
  const manifest = { ...good.manifest, sha256: 'f'.repeat(64) };
  await refused({ ...good, manifest }, 'ARCHIVE_BAD', /has another SHA-256/);
});

test('an archive that ends early is refused, wherever it ends', async () => {
  const { manifest, bytes } = await forge([FILE, { name: 'dist/x', body: 'x'.repeat(5000) }]);
  for (const part of [0, 0.2, 0.5, 0.9]) {
    const cut = bytes.subarray(0, Math.floor(bytes.length * part));
    await refused({ manifest, bytes: cut }, 'ARCHIVE_BAD', /./);
  }
});

test('an archive with any one byte changed is refused', async () => {
  const { manifest, bytes } = await forge([FILE]);
  for (let at = 0; at < bytes.length; at += 7) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] as number) ^ 0x20;
    await refused({ manifest, bytes: changed }, 'ARCHIVE_BAD', /./);
  }
});

/** Of the last entry's head, with its checksum set right. */
function withSize(tar: Buffer, name: string, octal: string): Buffer {
  const at = tar.lastIndexOf(`${name}\0`);
  const head = tar.subarray(at, at + 512);
  head.write(octal.padStart(11, '0'), 124);
  head.write('        ', 148);
  const sum = head.reduce((all, byte) => all + byte, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return tar;
}

test('a file that is said to be larger or smaller than it is, is refused', async () => {
  for (const size of ['7777', '77777777777', '1']) {
    const lie = await forge([{ name: 'dist/a', body: 'x'.repeat(600) }], {
      edit: (tar) => withSize(tar, 'dist/a', size),
    });
    await refused(lie, 'ARCHIVE_BAD', /cannot be unpacked|entries/);
  }
});

test('an archive that decompresses to far more than it says ends there', async () => {
  const bomb = await forge([{ name: 'dist/a', body: 'x'.repeat(20_000_000) }]);
  const manifest = { ...bomb.manifest, unpackedBytes: 100_000 };
  await refused({ ...bomb, manifest }, 'ARCHIVE_BAD', /does not decompress to 100000 bytes/);
});

test('an archive over the limits, or over the room on the disk, is refused before its first byte is read', async () => {
  const good = await forge([FILE]);
  const limits = { unpackedBytes: 100, entries: 100 };
  await refused(good, 'ARCHIVE_TOO_LARGE', /the limits are 100 and 100/, { limits });
  await refused(good, 'ARCHIVE_TOO_LARGE', /has 3 files/, {
    limits: { unpackedBytes: 1e9, entries: 2 },
  });
  const manifest = { ...good.manifest, unpackedBytes: 2 ** 52 };
  const endless = { unpackedBytes: Number.POSITIVE_INFINITY, entries: 100 };
  await refused({ ...good, manifest }, 'ARCHIVE_TOO_LARGE', /the disk has room/, {
    limits: endless,
  });
});

test('a release is refused by a machine that cannot run it, which says why', async () => {
  const good = await forge([FILE], { changes: { needs: MACHINE } });
  await refused(good, 'ARCHIVE_UNFIT', /was built with Node 24, and this is Node 22/, {
    machine: { ...MACHINE, node: 22 },
  });
});

test('an archive with the release.json of another release, or with none at first, is refused', async () => {
  const other = await forge([FILE], { changes: { id: ID } });
  await refused(other, 'ARCHIVE_BAD', /release\.json that this version does not understand/);
  const unsigned = await forge([FILE], { changes: { releaseSha256: 'f'.repeat(64) } });
  await refused(unsigned, 'ARCHIVE_BAD', /has another release\.json/);
  const keyed = await forge([FILE], { changes: { deps: '0123456789abcdef' } });
  await refused(keyed, 'ARCHIVE_UNFIT', /packages that are not installed/);
});

test('an archive that is no tar, or no zstd, is refused', async () => {
  const noTar = await forge([FILE], { edit: () => Buffer.alloc(2048, 'x') });
  await refused(noTar, 'ARCHIVE_BAD', /Invalid tar header/);
  const good = await forge([FILE]);
  const bytes = Buffer.alloc(good.bytes.length, 'x');
  await refused({ ...good, bytes }, 'ARCHIVE_BAD', /./);
});

test('a source that breaks leaves nothing behind', async () => {
  const paths = await tempSite();
  const { manifest, bytes } = await forge([FILE]);
  async function* broken() {
    yield bytes.subarray(0, 100);
    throw new Error('connection lost');
  }
  await expect(
    unpackRelease(paths, manifest, broken(), { machine: MACHINE }),
  ).rejects.toMatchObject({ message: expect.stringContaining('connection lost') });
  expect(await readdir(paths.releases)).toEqual([]);
});

test('a release that is here already is left as it is', async () => {
  const paths = await tempSite();
  await putRelease(paths, ID);
  const archive = await packed(paths, ID);
  await writeFile(join(releaseDir(paths, ID), 'dist/written-since'), 'x');
  const stream = Readable.from(inPieces(archive.bytes));
  const release = await unpackRelease(paths, archive.manifest, stream, { machine: MACHINE });
  expect(release.id).toBe(ID);
  expect(await readdir(join(releaseDir(paths, ID), 'dist'))).toContain('written-since');
});

test('another release of the same id is refused, and the one that is here stays', async () => {
  const other = await tempSite();
  await putRelease(other, ID, { buildMs: 11 });
  const paths = await tempSite();
  await putRelease(paths, ID);
  await refused(await packed(other, ID), 'RELEASE_DIFFERS', /there is another release/, { paths });
});

test('what a killed fetch has left does not stand in the way of the next', async () => {
  const paths = await tempSite();
  const { manifest, bytes } = await forge([FILE]);
  const partial = `${releaseDir(paths, FORGED_ID)}.partial`;
  await putFile(partial, 'dist/server.mjs', 'half');
  await unpackRelease(paths, manifest, inPieces(bytes), { machine: MACHINE });
  expect(await readdir(paths.releases)).toEqual([FORGED_ID]);
});
