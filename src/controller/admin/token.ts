import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import type { SitePaths } from '../../slots/paths.ts';

const TOKEN = /^[0-9a-f]{64}$/;

/**
 * The admin API's token, for its owner to read only. Made once, so that a bookmark of the dashboard goes on
 * working; a new one is made when the file is deleted.
 */
export async function adminToken(paths: SitePaths): Promise<string> {
  const known = (await readFile(paths.adminToken, 'utf8').catch(() => '')).trim();
  if (TOKEN.test(known)) {
    await chmod(paths.adminToken, 0o600);
    return known;
  }
  const token = randomBytes(32).toString('hex');
  await mkdir(paths.slots, { recursive: true });
  await writeFileAtomic(paths.adminToken, `${token}\n`, { mode: 0o600 });
  return token;
}
