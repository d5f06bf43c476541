import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DEPS_KEY } from '../deps.ts';
import { type Release, releaseSchema } from '../release.ts';

/** Of a release that another machine built: its time becomes its files', and its key a link's target. */
const receivedSchema = releaseSchema.extend({
  createdAt: z.iso.datetime(),
  deps: z.string().regex(DEPS_KEY).optional(),
});

/** release.json as it is in an archive. What a machine has added to it since is that machine's. */
export function packedRelease({ alsoFrom: _, ...release }: Release): string {
  return `${JSON.stringify(release, null, 2)}\n`;
}

/** `null` when it is none, or one that this version does not understand. */
export function parsePackedRelease(text: string): Release | null {
  try {
    return receivedSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** In hex. */
export function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
