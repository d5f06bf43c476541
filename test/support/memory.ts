import { readFileSync } from 'node:fs';

export interface Memory {
  /** What the process has in memory now, in bytes. */
  bytes: number;
  /** The most it ever had. */
  peakBytes: number;
}

/**
 * From /proc/<pid>/status.
 *
 * @throws Error for a process that is gone or a zombie
 */
export function readMemory(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (name: string) => {
    const kib = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
    if (kib === undefined) throw new Error(`process ${pid} has no memory any more`);
    return Number(kib) * 1024;
  };
  return { bytes: bytes('VmRSS'), peakBytes: bytes('VmHWM') };
}
