/** What a person is told of an error, and what the exit code says. */
import { CommanderError } from 'commander';
import { SlotsError } from '../errors.ts';
import { styleError } from './terminal/style.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_UNREACHABLE = 3;

/** Turns whatever was thrown into one message and an exit code: the only place that does. */
export function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  if (!(error instanceof SlotsError)) {
    console.error(isRefusal(error) ? `${styleError('red', 'slots:')} ${error.message}` : error);
    return EXIT_FAILED;
  }
  console.error(`${styleError('red', 'slots:')} ${error.message}`);
  if (error.hint) console.error(`       ${error.hint}`);
  if (error.code === 'CONTROLLER_UNREACHABLE' || error.code === 'FRONT_DOWN')
    return EXIT_UNREACHABLE;
  return error.code === 'USAGE' ? EXIT_USAGE : EXIT_FAILED;
}

/** What the system refuses, such as a full disk or a file in a folder's place: its message says what, and names the path. */
function isRefusal(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'path' in error;
}
