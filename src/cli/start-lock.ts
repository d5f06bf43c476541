import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SitePaths } from '../slots/paths.ts';

const LOOK_INTERVAL_MS = 100;

/** A lock that has no owner's pid in it for so long was never finished, in milliseconds. */
const EMPTY_LIMIT_MS = 2000;

/**
 * Runs `act` while no other `slots up` of this site does: PM2 has no objection to two apps of one name. Who
 * comes second waits. A lock whose owner died is taken away.
 */
export async function withStartLock<T>(paths: SitePaths, act: () => Promise<T>): Promise<T> {
  const lock = join(paths.slots, 'up.lock');
  await mkdir(paths.slots, { recursive: true });
  while (!(await take(lock))) {
    await breakIfStale(lock);
    await delay(LOOK_INTERVAL_MS);
  }
  try {
    return await act();
  } finally {
    await rm(lock, { force: true });
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** By a rename, which one process only can do; what it caught may be a new lock, which it then puts back. */
async function breakIfStale(lock: string): Promise<void> {
  const aside = `${lock}.${process.pid}`;
  if (await hasLiveOwner(lock)) return;
  const caught = await rename(lock, aside).then(
    () => true,
    () => false,
  );
  if (!caught) return;
  if (await hasLiveOwner(aside)) await rename(aside, lock);
  else await rm(aside, { force: true });
}

async function hasLiveOwner(lock: string): Promise<boolean> {
  const pid = Number(await readFile(lock, 'utf8').catch(() => ''));
  // Empty for an instant, between its creation and its first byte.
  if (!pid) return isYoung(lock);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function isYoung(lock: string): Promise<boolean> {
  const written = await stat(lock).then(
    ({ mtimeMs }) => mtimeMs,
    () => Date.now(),
  );
  return Date.now() - written < EMPTY_LIMIT_MS;
}
