import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import type { Machine } from '../../src/slots/archive/machine.ts';
import type { Manifest } from '../../src/slots/archive/manifest.ts';
import { packRelease } from '../../src/slots/archive/pack.ts';
import { sha256 } from '../../src/slots/archive/release-json.ts';
import type { SitePaths } from '../../src/slots/paths.ts';
import type { Release } from '../../src/slots/release.ts';
import { releaseIdOf } from './temp-site.ts';

export const MACHINE: Machine = {
  node: 24,
  platform: 'linux',
  arch: 'x64',
  libc: 'glibc',
  lockFile: 'a'.repeat(64),
};

export interface Packed {
  manifest: Manifest;
  bytes: Buffer;
}

/** An archive in memory. */
export async function packed(
  paths: SitePaths,
  id: string,
  { machine = MACHINE, shared = [] as string[] } = {},
): Promise<Packed> {
  const { stream, manifest } = await packRelease(paths, id, { machine, shared });
  const bytes = await buffer(stream);
  return { manifest: await manifest, bytes };
}

/** Hands out bytes in pieces of this size. */
export async function* inPieces(bytes: Buffer, size = 1024): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export const FORGED_ID = releaseIdOf(7);

const RELEASE_JSON = `${JSON.stringify({
  id: FORGED_ID,
  createdAt: '2026-01-01T00:00:00.000Z',
  trigger: 'edit',
  changed: [],
  commit: null,
  buildMs: 10,
  sourceHash: 'abcdef'.padEnd(64, '0'),
  entry: 'server.mjs',
  unsettled: false,
} satisfies Release)}\n`;

export type ForgedEntry = Omit<Partial<Header>, 'type'> & {
  name: string;
  type?: Header['type'];
  body?: string;
};

/**
 * An archive as somebody could make it who has the group's key: the manifest is right, and what is in it is theirs.
 * It begins as every release does, unless the entries do.
 *
 * @param edit changes the tar's bytes before they are compressed
 */
export async function forge(
  entries: ForgedEntry[],
  { edit = (tar: Buffer) => tar, changes = {} as Partial<Manifest> } = {},
): Promise<Packed> {
  const tar = pack();
  const all: ForgedEntry[] = [
    { name: 'release.json', body: RELEASE_JSON },
    { name: 'dist', type: 'directory' },
    ...entries,
  ];
  for (const { body, ...head } of all) {
    if (body === undefined) tar.entry(head);
    else tar.entry(head, body);
  }
  tar.finalize();
  const unpacked = edit(await buffer(tar as unknown as AsyncIterable<Buffer>));
  const bytes = await promisify(zstdCompress)(unpacked);
  const manifest: Manifest = {
    version: 1,
    id: FORGED_ID,
    sha256: sha256(bytes),
    bytes: bytes.length,
    unpackedBytes: unpacked.length,
    entries: all.length,
    releaseSha256: sha256(RELEASE_JSON),
    deps: null,
    needs: null,
    ...changes,
  };
  return { manifest, bytes };
}
