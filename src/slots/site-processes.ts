import { readdir, readFile } from 'node:fs/promises';
import type { SitePaths } from './paths.ts';
import type { Slot } from './slot.ts';

/** A process of slots that PM2 runs for the site, or has run. */
export interface SiteProcess {
  pid: number;
  parent: number;
  /** Whether its parent is a PM2: one that has lost it is given to another parent. */
  hasPm2: boolean;
  part: 'controller' | 'proxy' | 'instance';
  /** Of an instance. */
  slot: Slot | null;
}

/** All that there are; none where there is no /proc. */
export async function siteProcesses(paths: SitePaths): Promise<SiteProcess[]> {
  const names = await readdir('/proc').catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map((pid) => siteProcess(paths, pid)));
  return found.filter((process) => process !== null);
}

/** `null` for a process that is none of the site's. What the site starts itself has the same environment. */
export async function siteProcess({ root }: SitePaths, pid: number): Promise<SiteProcess | null> {
  const [, part] =
    /\/(controller|proxy|instance)\/main\.[jt]s/.exec(await read(pid, 'cmdline')) ?? [];
  if (part === undefined) return null;
  // PM2 gives a forked process its variables, and one of a cluster a single one with all of them as JSON.
  const environ = `\0${await read(pid, 'environ')}`;
  const isOurs =
    environ.includes(`\0SLOTS_ROOT=${root}\0`) ||
    environ.includes(`"SLOTS_ROOT":${JSON.stringify(root)}`);
  if (!isOurs) return null;
  const [, slot] = /"SLOTS_SLOT":"(blue|green)"/.exec(environ) ?? [];
  const stat = await read(pid, 'stat');
  // The name in parentheses may contain anything, these too.
  const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (parent === undefined) return null;
  return {
    pid,
    parent: Number(parent),
    hasPm2: /\bpm2/i.test(await read(Number(parent), 'cmdline')),
    part: part as SiteProcess['part'],
    slot: (slot as Slot | undefined) ?? null,
  };
}

function read(pid: number, file: 'cmdline' | 'environ' | 'stat'): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}
