/** What a machine may lack: a newcomer's test is skipped with the reason, CI's fails. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** @returns the reason why a test that runs these programs cannot run here, or `null` */
export function lacking(...programs: string[]): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const missing = programs.filter((name) => !folders.some((folder) => canRun(join(folder, name))));
  return missing.length > 0 ? `not on this machine: ${missing.join(', ')}` : null;
}

/**
 * Skips the test if there is a reason to.
 *
 * @throws Error where CI is `true`: its machine has to have everything, or else nobody would notice what is not tested
 */
export function skipFor(skip: (reason: string) => void, reason: string | null): void {
  if (reason === null) return;
  if (process.env.CI === 'true') throw new Error(`CI skips nothing: ${reason}`);
  skip(reason);
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
