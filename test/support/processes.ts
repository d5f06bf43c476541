import { readdir, readFile } from 'node:fs/promises';

export interface FoundProcess {
  pid: number;
  /** What it was started with, as pairs with a NUL after each. */
  environ: string;
  command: string;
}

/** Every process, but this one, that was started with one of these texts somewhere in its environment. */
export async function processesWith(marks: readonly string[]): Promise<FoundProcess[]> {
  const names = await readdir('/proc');
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const all = await Promise.all(
    pids.map(async (pid) => ({
      pid,
      environ: await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''),
      command: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
    })),
  );
  return (
    all
      .filter(({ pid, environ }) => pid !== process.pid && marks.some((m) => environ.includes(m)))
      // It has ended in between.
      .filter(({ command }) => command !== '')
      .map((found) => ({ ...found, command: found.command.replaceAll('\0', ' ').trim() }))
  );
}

/** The PM2 app that a process belongs to: a forked one's `name`, or the one in a cluster worker's `pm2_env`. */
export function pm2App({ environ }: FoundProcess): string | null {
  const found = /(?:^|\0)name=([^\0]+)/.exec(environ) ?? /"name":"([^"]+)"/.exec(environ);
  return found?.[1] ?? null;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Signals one process, which may have ended already. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Ended by itself, which is what is wanted.
  }
}
