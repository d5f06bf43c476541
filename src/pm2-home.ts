import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SlotsError } from './errors.ts';
import { pm2Home } from './pm2-daemon.ts';

/** `sun_path` without its final NUL, on Linux. */
const MAX_SOCKET_PATH_BYTES = 107;

/** PM2's socket with the longest name. */
const LONGEST_SOCKET = 'interactor.sock';

/**
 * Makes sure that PM2 can use its `PM2_HOME`: its client throws out of its constructor for a file or too long a path
 * (PM2 7.0.4).
 *
 * @throws SlotsError `PM2_UNREACHABLE`
 */
export function preparePm2Home(home = pm2Home()): void {
  if (Buffer.byteLength(join(home, LONGEST_SOCKET)) > MAX_SOCKET_PATH_BYTES) {
    throw unusable(home, 'its path is too long for a Unix socket');
  }
  try {
    makeFolder(home);
    accessSync(home, constants.W_OK);
  } catch (cause) {
    throw unusable(home, (cause as NodeJS.ErrnoException).code ?? String(cause), cause);
  }
}

/** Node's recursive `mkdir` loops for ever where a parent takes no folders, as in /proc (Node 24.21). */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another command may have made it meanwhile.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

function unusable(home: string, why: string, cause?: unknown): SlotsError {
  return new SlotsError('PM2_UNREACHABLE', `PM2_HOME: ${home} cannot be used (${why})`, {
    hint: 'set PM2_HOME to a folder with a short path that this user may write to',
    cause,
  });
}
