import { readFile } from 'node:fs/promises';

export interface Memory {
  /** What the process has in memory now, in bytes. */
  bytes: number;
  /** The most it ever had. */
  peakBytes: number;
}

/** From /proc/<pid>/status. */
export async function readMemory(pid: number): Promise<Memory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
  return { bytes: kib('VmRSS') * 1024, peakBytes: kib('VmHWM') * 1024 };
}
