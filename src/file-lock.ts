import fs from 'node:fs';
import { dirname } from 'node:path';
import { lock } from 'proper-lockfile';

const LOOK_INTERVAL_MS = 100;

/** A lock that was not renewed for so long is of a process that died, in milliseconds. It is renewed in half of it. */
const STALE_MS = 5000;

/** Runs `act` while no other process runs anything under the same lock. The second one waits, however long it takes. */
export async function withFileLock<T>(lockFile: string, act: () => Promise<T>): Promise<T> {
  const folder = dirname(lockFile);
  await fs.promises.mkdir(folder, { recursive: true });
  const release = await lock(folder, {
    lockfilePath: lockFile,
    stale: STALE_MS,
    retries: {
      forever: true,
      factor: 1,
      minTimeout: LOOK_INTERVAL_MS,
      maxTimeout: LOOK_INTERVAL_MS,
    },
    // A process that was stopped for so long (Ctrl-Z) may have company; what it starts then is there already.
    onCompromised: () => {},
    fs,
  });
  try {
    return await act();
  } finally {
    // Refused when the lock is not ours any more.
    await release().catch(() => {});
  }
}
