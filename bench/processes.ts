import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { readMemory } from '../test/support/memory.ts';

/** `sysconf(_SC_CLK_TCK)`: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

const started: ChildProcess[] = [];

/** A core's number, or wherever the kernel puts it. */
export type Core = number | 'any';

/** The beginning of a command line that is to run on one core. */
export function pinnedTo(core: Core): string[] {
  return core === 'any' ? [] : ['taskset', '-c', String(core)];
}

/** Starts a program on one core; its output is shown only when it ends by itself. */
export function startPinned(
  core: Core,
  command: string[],
  env: NodeJS.ProcessEnv = {},
): ChildProcess {
  const [program, ...args] = [...pinnedTo(core), ...command];
  const child = spawn(program as string, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-4000);
    });
  }
  child.on('exit', (code, signal) => {
    if (signal !== 'SIGTERM' && signal !== 'SIGKILL' && code !== 0) {
      console.error(`${command[0]} ended with ${code ?? signal}: ${output}`);
    }
  });
  started.push(child);
  return child;
}

export async function stopAll(): Promise<void> {
  for (const child of started) child.kill('SIGTERM');
  await Promise.all(
    started.map((child) =>
      child.exitCode !== null || child.signalCode !== null
        ? null
        : new Promise((resolve) => child.once('exit', resolve)),
    ),
  );
}

/** Something left over would be measured instead of what is about to be started. */
export async function assertFree(port: number): Promise<void> {
  if (await listens(port)) throw new Error(`port ${port} is taken: end what listens there first`);
}

/** @param everyMs pause between two looks, in milliseconds */
export async function untilListening(port: number, everyMs = 50): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    if (await listens(port)) return;
    await delay(everyMs);
  }
  throw new Error(`nothing listens on port ${port} after 10 s`);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => socket.destroy());
    socket.on('error', () => resolve(false));
    socket.on('close', (hadError) => resolve(!hadError));
  });
}

/** Processor time of a process and those below it since they started, in seconds. */
export function cpuSeconds(pid: number): number {
  return sum(pid, ownCpuSeconds);
}

/** The same without the processes below it. */
export function ownCpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The most memory that a process and those below it have had, in MiB. */
export function peakMemoryMiB(pid: number): number {
  return sum(pid, (each) => readMemory(each).peakBytes / 2 ** 20);
}

function sum(pid: number, measure: (pid: number) => number): number {
  return family(pid).reduce((total, each) => total + measure(each), 0);
}

function family(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
  );
  return [pid, ...children.flatMap((child) => family(Number(child)))];
}
