import { randomUUID } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { realpath, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { fileStamp } from '../../slots/source.ts';

/**
 * Writes or deletes a file, unless somebody has written it since it was read. Between the look and the change nothing is awaited,
 * so that an editor has microseconds to come between, and not the time in which the bytes come over the network.
 *
 * @param bytes `null` to delete it
 * @param stamp that it had when it was read (`fileStamp`); `null` where it was not there
 * @throws Error when it is another one now
 */
export async function replaceUnlessEdited(
  path: string,
  bytes: Buffer | null,
  stamp: string | null,
): Promise<void> {
  const expectUnedited = () => {
    if (fileStamp(path) !== stamp) throw new Error('it was edited just now');
  };
  if (bytes === null) {
    expectUnedited();
    rmSync(path, { force: true });
    return;
  }
  const target = await realpath(path).catch(() => path);
  // Of a kind that nobody watches, should this process die here.
  const staged = join(dirname(target), `.${basename(target)}.${randomUUID()}.partial`);
  const known = await stat(target).catch(() => null);
  const kept = known && { mode: known.mode, chown: { uid: known.uid, gid: known.gid } };
  try {
    await writeFileAtomic(staged, bytes, kept ?? {});
    expectUnedited();
    renameSync(staged, target);
  } catch (error) {
    await rm(staged, { force: true });
    throw error;
  }
}
