import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { onTestFinished } from 'vitest';
import { tempFolder } from './temp-folder.ts';

/**
 * A file system of its own, with so much room, until the test has finished. Mounting is for root, and not in every
 * container: the test is skipped elsewhere.
 */
export async function smallDisk(skip: (reason: string) => void, bytes: number): Promise<string> {
  const folder = await tempFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder], {
      stdio: 'ignore',
    });
  } catch {
    skip('this user cannot mount a file system');
  }
  onTestFinished(() => void execFileSync('umount', ['-l', folder]));
  return folder;
}

/** A folder on another file system than the temporary ones, until the test has finished. */
export async function otherDisk(): Promise<string> {
  const folder = await mkdtemp('/dev/shm/slots-test-');
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
