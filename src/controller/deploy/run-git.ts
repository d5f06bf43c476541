import { execa } from 'execa';
import { SlotsError } from '../../errors.ts';
import { siteEnvironment } from '../build/environment.ts';

/** For one git command, in milliseconds: a fetch may bring much, and a remote may hang. */
const TIMEOUT_MS = 10 * 60_000;

/** One git command in the site's clone; @returns what it printed; @throws SlotsError `GIT_FAILED` */
export type Git = (...args: string[]) => Promise<string>;

export function gitIn(folder: string, env: NodeJS.ProcessEnv): Git {
  return async (...args) => {
    const result = await execa('git', args, {
      cwd: folder,
      env: {
        // Nobody is there to type a password.
        GIT_SSH_COMMAND: 'ssh -oBatchMode=yes',
        ...siteEnvironment(env, {}),
        GIT_TERMINAL_PROMPT: '0',
        LC_ALL: 'C',
      },
      extendEnv: false,
      stdin: 'ignore',
      reject: false,
      killDescendants: true,
      timeout: TIMEOUT_MS,
    });
    if (!result.failed) return result.stdout.trim();
    const why = result.timedOut
      ? `no end after ${TIMEOUT_MS / 1000} s`
      : withoutPasswords(result.stderr.trim() || (result.originalMessage ?? 'it failed'));
    const lines = why.split('\n').slice(0, 5).join('; ');
    throw new SlotsError('GIT_FAILED', `git ${args[0]}: ${lines}`);
  };
}

/** git names the remote's whole URL in its errors, with whatever stands before the host. */
export function withoutPasswords(text: string): string {
  return text.replaceAll(/\/\/[^/@\s]+@/g, '//***@');
}
