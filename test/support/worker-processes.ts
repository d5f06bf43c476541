import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { WorkerProcesses } from '../../src/controller/workers/fleet.ts';
import { until } from './until.ts';

/** Real processes in the place of the proxy's, and what PM2 would say and do about them. */
export interface TestProcesses extends WorkerProcesses {
  /** Starts one more; its pid. */
  start(): number;
  /** Starts one that hangs: it does not hear the signal that asks it to stop. */
  startDeaf(): Promise<number>;
  /** Ends one for good; resolves when it is gone. */
  end(pid: number): Promise<void>;
  /** From here on PM2 does not know this process any more, although it runs. */
  forget(pid: number): void;
  /** How often somebody has asked which processes there are. */
  looks(): number;
  endAll(): Promise<void>;
}

/** @param onReplaced PM2 puts another in the place of one that ended, which has this pid; without it, none */
export function testProcesses(onReplaced?: (pid: number) => void): TestProcesses {
  const running = new Map<number, ChildProcess>();
  const forgotten = new Set<number>();
  let looks = 0;

  const run = (script: string): number => {
    const child = spawn('sh', ['-c', script], { stdio: 'ignore' });
    const pid = child.pid as number;
    running.set(pid, child);
    child.once('exit', () => {
      if (!running.delete(pid) || forgotten.has(pid)) return;
      onReplaced?.(processes.start());
    });
    return pid;
  };

  const processes: TestProcesses = {
    start: () => run('exec sleep 1000'),
    async startDeaf() {
      const pid = run(`trap '' INT; exec sleep 1000`);
      const name = () => readFile(`/proc/${pid}/comm`, 'utf8');
      await until(async () => (await name()) === 'sleep\n', 'the process to be deaf');
      return pid;
    },
    async end(pid) {
      const child = running.get(pid);
      running.delete(pid);
      if (!child) return;
      await new Promise((resolve) => {
        child.once('exit', resolve);
        child.kill('SIGKILL');
      });
    },
    forget: (pid) => void forgotten.add(pid),
    async online() {
      looks++;
      return [...running.keys()].filter((pid) => !forgotten.has(pid)).map((pid) => ({ pid }));
    },
    mayEnd: async () => true,
    looks: () => looks,
    async endAll() {
      await Promise.all([...running.keys()].map((pid) => processes.end(pid)));
    },
  };
  return processes;
}
