import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import type { ClientFolder } from '../../slots/client-folder.ts';

/**
 * Those of the config's client folders that a build has written.
 *
 * @param outDir the build's output
 */
export async function presentFolders(
  wanted: Config['client'],
  outDir: string,
): Promise<ClientFolder[]> {
  const present: ClientFolder[] = [];
  for (const { folder, url, needs } of wanted) {
    const found = await stat(join(outDir, folder)).catch(() => null);
    const isComplete = needs === undefined || (await isThere(join(outDir, folder, needs)));
    if (found?.isDirectory() && isComplete) present.push({ folder, url });
  }
  return present;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
