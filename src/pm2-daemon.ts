/** PM2's daemon as a process: which one it is, whether it answers, and that only one is started. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ifStillSilent } from './after-reading.ts';
import { withFileLock } from './file-lock.ts';
import { isRunning } from './is-running.ts';

const ANSWER_TIMEOUT_MS = 2000;

/** How long another one's start of the daemon may take until ours goes ahead, in milliseconds. */
const OTHER_START_MS = 15_000;

const LOOK_INTERVAL_MS = 100;

/** Commands of PM2's own command line that start a daemon, or apps in one that has just been started. */
const STARTING = /^(resurrect|start.*|restart|reload.*|update.*)$/i;

export function pm2Home(): string {
  return process.env.PM2_HOME ?? join(homedir(), '.pm2');
}

/** The daemon's process, or `null` when none runs. */
export function daemonPid(): number | null {
  try {
    const pid = Number(readFileSync(join(pm2Home(), 'pm2.pid'), 'utf8'));
    return isRunning(pid) ? pid : null;
  } catch {
    return null;
  }
}

/** Whether a daemon runs for this `PM2_HOME`; asking PM2 itself would start one. */
export function isDaemonRunning(): boolean {
  return daemonPid() !== null;
}

/** The Node binary that the running daemon, and with it every cluster app, runs on; `null` where unknown. */
export function daemonNode(): string | null {
  const pid = daemonPid();
  if (pid === null) return null;
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return null;
  }
}

/** Whether the daemon takes connections; a pid alone may be another process's by now. */
export function daemonAnswers(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(join(pm2Home(), 'rpc.sock'));
    socket.setTimeout(ANSWER_TIMEOUT_MS);
    const end = (answers: boolean) => {
      socket.destroy();
      resolve(answers);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.on('timeout', () => ifStillSilent(socket, () => end(false)));
  });
}

/**
 * Whether the daemon is a process in the foreground (`pm2-runtime`, `pm2 --no-daemon`): the main one of a container or a unit.
 * `false` where there is no /proc.
 */
export function isDaemonForeground(): boolean {
  const pid = daemonPid();
  const command = pid === null ? [] : readProc(pid, 'cmdline');
  return command.length > 0 && !isDaemonCommand(command);
}

/** Memory of the daemon itself, in bytes; `null` where that is unknown. */
export function daemonMemory(): number | null {
  const pid = daemonPid();
  return pid === null ? null : memoryOf(pid);
}

/** Resident memory of a process, in bytes; `null` where that is unknown. */
export function memoryOf(pid: number): number | null {
  try {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? null : Number(kib) * 1024;
  } catch {
    return null;
  }
}

/**
 * Runs what starts a daemon when none answers, and sees to it that nobody else does at the same time: of two daemons that
 * start at once each can get one of the two sockets, and whoever has started them waits for ever (PM2 7.0.4,
 * `Client.launchDaemon`).
 */
export async function asOnlyStarter<T>(start: () => Promise<T>): Promise<T> {
  if (await daemonAnswers()) return start();
  return withFileLock(join(pm2Home(), 'slots-start.lock'), async () => {
    await untilNobodyElseStarts();
    return start();
  });
}

/** Other sites of this PM2 take the lock; PM2's own command line knows of none. */
async function untilNobodyElseStarts(): Promise<void> {
  const deadline = performance.now() + OTHER_START_MS;
  while (performance.now() < deadline && (isDaemonThere() || isCommandRunning())) {
    if (await daemonAnswers()) return;
    await delay(LOOK_INTERVAL_MS);
  }
}

/** Whether PM2's own command line starts something for this `PM2_HOME`. `false` where there is no /proc. */
export function isCommandRunning(): boolean {
  return someProcess(
    ([, script = '', ...args]) =>
      basename(script) === 'pm2' && args.some((arg) => STARTING.test(arg)),
  );
}

/** Whether there is a daemon for this `PM2_HOME`, which may not listen yet. `false` where there is no /proc. */
function isDaemonThere(): boolean {
  return someProcess(isDaemonCommand);
}

function isDaemonCommand([program = '', script = '']: string[]): boolean {
  return script.endsWith('/pm2/lib/Daemon.js') || program.includes('God Daemon');
}

function someProcess(matches: (command: string[]) => boolean): boolean {
  return processIds().some((pid) => matches(readProc(pid, 'cmdline')) && homeOf(pid) === pm2Home());
}

function processIds(): number[] {
  try {
    const names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return names.map(Number).filter((pid) => pid !== process.pid);
  } catch {
    return [];
  }
}

/** Which `PM2_HOME` a process goes by. */
function homeOf(pid: number): string {
  const value = (name: string) =>
    readProc(pid, 'environ')
      .find((pair) => pair.startsWith(`${name}=`))
      ?.slice(name.length + 1);
  return value('PM2_HOME') ?? join(value('HOME') ?? homedir(), '.pm2');
}

/** A file of strings with a NUL after each; empty for a process that has ended, or is another user's. */
function readProc(pid: number, file: 'cmdline' | 'environ'): string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
