import { appendFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { askedPortsFile, type SitePaths } from './paths.ts';

/** A server of this process asks for a port. Of use to people only: it may fail. */
export function tellAskedPort(paths: SitePaths, id: string, port: number): void {
  try {
    appendFileSync(askedPortsFile(paths, id), `${port}\n`);
  } catch {
    // Its release has been deleted, or the disk is full.
  }
}

/** Forgets what an earlier start told. */
export async function clearAskedPorts(paths: SitePaths, id: string): Promise<void> {
  await rm(askedPortsFile(paths, id), { force: true });
}

/** The ports that servers of this release's instances have asked for, each once, in that order. */
export async function readAskedPorts(paths: SitePaths, id: string): Promise<number[]> {
  const text = await readFile(askedPortsFile(paths, id), 'utf8').catch(() => '');
  const ports = text.split('\n').map(Number);
  // Port 0 is any that is free.
  return [...new Set(ports)].filter((port) => port > 0);
}
