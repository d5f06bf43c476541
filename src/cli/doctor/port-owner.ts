import { readdir, readFile, readlink } from 'node:fs/promises';

export interface PortOwner {
  pid: number;
  command: string;
}

/** `st` in /proc/net/tcp of a socket that listens. */
const LISTENING = '0A';

const MAX_COMMAND_CHARS = 80;

/** The process that listens on a port, as far as this user may see it. `null` where /proc does not tell. */
export async function portOwner(port: number): Promise<PortOwner | null> {
  const inodes = await listeningInodes(port);
  if (inodes.size === 0) return null;
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    if (await holdsOne(pid, inodes)) return { pid: Number(pid), command: await commandOf(pid) };
  }
  return null;
}

async function listeningInodes(port: number): Promise<Set<string>> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  const rows = tables
    .join('\n')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const found = rows.filter(([, local, , st]) => local?.endsWith(`:${hex}`) && st === LISTENING);
  return new Set(found.map((row) => `socket:[${row[9]}]`));
}

async function holdsOne(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const fds = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const fd of fds) {
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
    if (inodes.has(target)) return true;
  }
  return false;
}

async function commandOf(pid: string): Promise<string> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return text.replaceAll('\0', ' ').trim().slice(0, MAX_COMMAND_CHARS);
}
