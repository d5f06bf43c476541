import { execa } from 'execa';
import PQueue from 'p-queue';
import type { Config } from '../../config/schema.ts';
import { siteEnvironment } from '../build/environment.ts';
import type { Logger } from '../log.ts';
import type { Ending } from './message.ts';

/** A command that runs for longer is killed with all it has started, in milliseconds. */
const TIMEOUT_MS = 120_000;

/**
 * Runs `onPromoted` or `onFailed`, whichever fits, one after the other: two purges of a cache at once would
 * only get in each other's way. Never throws and never waits. What it prints goes into the controller's log.
 */
export function createCommands(
  config: Config,
  root: string,
  log: Logger,
  timeoutMs = TIMEOUT_MS,
): (ending: Ending) => void {
  const commands = new PQueue({ concurrency: 1 });
  return (ending) => {
    const key = ending.outcome === 'failed' ? 'onFailed' : 'onPromoted';
    const command = config[key];
    if (command === undefined) return;
    void commands.add(() => run({ key, command, ending }));
  };

  async function run(what: { key: string; command: string | string[]; ending: Ending }) {
    const { key, command, ending } = what;
    const [file = '', ...args] = Array.isArray(command) ? command : [command];
    const result = await execa(file, args, {
      cwd: root,
      shell: !Array.isArray(command),
      env: { ...siteEnvironment(process.env, config.env), ...variables(ending, root) },
      extendEnv: false,
      preferLocal: true,
      localDir: root,
      stdin: 'ignore',
      stdout: 'inherit',
      stderr: 'inherit',
      reject: false,
      killDescendants: true,
      timeout: timeoutMs,
    });
    const facts = { command: key, outcome: ending.outcome, ms: Math.round(result.durationMs) };
    if (!result.failed) {
      log.info({ event: 'command.done', ...facts }, `${key} done in ${facts.ms} ms`);
      return;
    }
    const error = result.timedOut
      ? `still running after ${timeoutMs} ms, killed`
      : `ended with ${result.signal ?? result.exitCode ?? result.originalMessage}`;
    log.error({ event: 'command.failed', ...facts, error }, `${key} ${error}`);
  }
}

function variables(ending: Ending, root: string): Record<string, string> {
  return {
    SLOTS_SITE: ending.site,
    SLOTS_SITE_ROOT: root,
    SLOTS_PROMOTION: ending.id,
    SLOTS_OUTCOME: ending.outcome,
    SLOTS_RELEASE: ending.release ?? '',
    SLOTS_TRIGGER: ending.trigger,
    SLOTS_STAGE: ending.stage,
    SLOTS_ERROR: ending.error ?? '',
  };
}
