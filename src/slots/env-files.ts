import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

/** How a site's process is told which files of variables to read: names below the site's root, as JSON. */
export const ENV_FILES_VARIABLE = 'SLOTS_ENV_FILES';

/**
 * The variables in these files, as they are now. The first file that names one wins; one that is not there is empty.
 *
 * @param root the site's folder; files are relative to it
 * @throws Error when a file is there and cannot be read
 */
export function readEnvFiles(root: string, files: readonly string[]): Record<string, string> {
  const found = files.map((file) => parseEnv(textOf(join(root, file))) as Record<string, string>);
  return Object.assign({}, ...found.reverse());
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
