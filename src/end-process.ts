import { setTimeout as delay } from 'node:timers/promises';
import { isRunning } from './is-running.ts';

const LOOK_INTERVAL_MS = 50;

/** Asks a process to end, and ends it when it has not within `limitMs`. */
export async function endProcess(pid: number, limitMs = 10_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  if (!signal(pid, 'SIGINT')) return;
  while (isRunning(pid)) {
    // Another user's process cannot be ended, nor one that waits in the kernel: whoever needs its port says so.
    const late = performance.now() - deadline;
    if (late > limitMs || (late > 0 && !signal(pid, 'SIGKILL'))) return;
    await delay(LOOK_INTERVAL_MS);
  }
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}
