import { join } from 'node:path';
import { execa } from 'execa';
import { SlotsError } from '../../errors.ts';
import { readOutput } from './build-log.ts';
import { endBuildProcesses } from './orphans.ts';
import { commandOf } from './out-dir.ts';
import { buildReason } from './reason.ts';
import type { Redact } from './redact.ts';

/** How long a build's processes may take to end by themselves once they are told to, in milliseconds. */
const KILL_DELAY_MS = 3000;

/** So many of the output's last lines are looked through for the reason of a failure. */
const REASON_LINES = 400;

/** A command of the config, run for a release that is being made. */
export interface CommandRun {
  what: 'build' | 'install';
  /** A string is a shell's to read, a list is an argv; `{outDir}` is replaced in both. */
  command: string | string[];
  cwd: string;
  env: Record<string, string>;
  /** The unfinished release: its output folder is below it, and so is the log, which is added to. */
  dir: string;
  timeoutMs: number;
  signal: AbortSignal;
  /** Takes secrets out of the output. */
  redact: Redact;
  /** One line of the output, without colours. */
  onLine(line: string): void;
}

/** @throws SlotsError `BUILD_FAILED`, `BUILD_TIMEOUT` or `BUILD_CANCELED` */
export async function runCommand(run: CommandRun): Promise<void> {
  const { what, cwd, dir, timeoutMs, signal } = run;
  if (signal.aborted) throw canceled(what);
  const { file, args, shell } = commandOf(run.command, join(dir, 'dist'));
  // `all` would be buffered in memory without `buffer: false`; a build may print hundreds of megabytes.
  const command = execa(file, args, {
    cwd,
    shell,
    env: run.env,
    extendEnv: false,
    preferLocal: true,
    localDir: cwd,
    stdin: 'ignore',
    all: true,
    buffer: false,
    reject: false,
    // A shell's or npm's children outlive it otherwise, and the promise with them (sindresorhus/execa #96).
    killDescendants: true,
    forceKillAfterDelay: KILL_DELAY_MS,
    timeout: timeoutMs,
    cancelSignal: signal,
  });
  const escaped = endEscaped(dir, signal, timeoutMs);
  // End what a command leaves behind: it holds the pipes open, and could still write.
  command.nodeChildProcess.once('exit', () => escaped.soon());
  const tail: string[] = [];
  const logError = await readOutput(command.all, join(dir, 'build.log'), run.redact, (line) => {
    tail.push(line);
    if (tail.length > REASON_LINES) tail.shift();
    run.onLine(line);
  });
  const result = await command;
  escaped.stop();
  if (!result.failed) {
    if (logError)
      throw new SlotsError('BUILD_FAILED', `cannot write build.log: ${logError.message}`);
    return;
  }
  if (result.isCanceled) throw canceled(what);
  if (result.timedOut) throw timedOut(what, timeoutMs);
  const detail = buildReason(tail, cwd);
  throw new SlotsError('BUILD_FAILED', `${howItEnded(what, result)}${detail && `: ${detail}`}`, {
    hint: '`slots logs build` shows its output',
  });
}

/**
 * Ends what a command that was canceled, is out of time or has ended itself left in a process group of its own,
 * which execa's signals do not reach: its hold on the output would keep the command from ever ending.
 */
function endEscaped(dir: string, canceled: AbortSignal, timeoutMs: number) {
  let timer: NodeJS.Timeout;
  const endIn = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => void endBuildProcesses(dir), ms + KILL_DELAY_MS);
  };
  const soon = () => endIn(0);
  endIn(timeoutMs);
  canceled.addEventListener('abort', soon);
  return {
    soon,
    stop() {
      clearTimeout(timer);
      canceled.removeEventListener('abort', soon);
    },
  };
}

function canceled(what: string): SlotsError {
  return new SlotsError('BUILD_CANCELED', `the ${what} was canceled`);
}

function timedOut(what: string, timeoutMs: number): SlotsError {
  return new SlotsError(
    'BUILD_TIMEOUT',
    `the ${what} was still running after ${timeoutMs} ms and was killed`,
    { hint: `raise "buildTimeoutMs", or see why the ${what} hangs` },
  );
}

function howItEnded(
  what: string,
  result: { exitCode?: number; signal?: string; originalMessage?: string },
): string {
  if (result.signal === 'SIGKILL') return `the ${what} was killed, as when memory runs out`;
  if (result.signal) return `the ${what} was ended by ${result.signal}`;
  // A shell's word for a child that was ended by SIGKILL.
  if (result.exitCode === 137)
    return `the ${what} exited with code 137, killed as when memory runs out`;
  if (result.exitCode !== undefined) return `the ${what} exited with code ${result.exitCode}`;
  return `the ${what} could not be started: ${result.originalMessage ?? 'unknown reason'}`;
}
