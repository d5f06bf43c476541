import { z } from 'zod';
import { DEPS_KEY } from '../deps.ts';
import { RELEASE_ID } from '../release-id.ts';
import { needsSchema } from './machine.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);

/** What a machine has to know of an archived release before it fetches one byte of it. The manifest is what is signed. */
export const manifestSchema = z.object({
  /** Of this format. A machine that does not know it refuses the archive. */
  version: z.literal(1),
  id: z.string().regex(RELEASE_ID),
  /** Of the archive as it is stored, in hex. */
  sha256,
  /** Of the archive as it is stored. */
  bytes: count,
  /** Of the archive once it is decompressed, tar's own blocks included. */
  unpackedBytes: count,
  /** Files, folders and links in it. */
  entries: count,
  /** Of the release.json in it, in hex: two builds may have one id, but never one time and duration to the millisecond. */
  releaseSha256: sha256,
  /** Its own dependencies, which a machine has to install first: the name of their folder in `slots/deps`. */
  deps: z.string().regex(DEPS_KEY).nullable(),
  /** Machines that this release runs on; `null` for a static site, which runs on all. */
  needs: needsSchema.nullable(),
});

export type Manifest = z.output<typeof manifestSchema>;

/** Above these an archive is refused, so that a hostile or mistaken one cannot fill a machine's disk. */
export interface ArchiveLimits {
  /** Of the archive once it is decompressed. */
  unpackedBytes: number;
  entries: number;
}

export const ARCHIVE_LIMITS: ArchiveLimits = { unpackedBytes: 8 * 1024 ** 3, entries: 500_000 };
