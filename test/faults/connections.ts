import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Of TCP. */
const ESTABLISHED = '01';

/** Of Unix sockets. */
const CONNECTED = '03';

/** The clients' ports of the connections that a process holds open on one of its TCP ports (Linux). */
export function clientPorts(pid: number, port: number): Set<number> {
  const inodes = socketInodes(pid);
  const ports = connections(pid).filter(
    ({ local, state, inode }) => local === port && state === ESTABLISHED && inodes.has(inode),
  );
  return new Set(ports.map(({ remote }) => remote));
}

/** How many connections a process holds open at its Unix sockets whose paths have this in them (Linux). */
export function unixConnections(pid: number, part: string): number {
  const inodes = socketInodes(pid);
  const lines = readFileSync(`/proc/${pid}/net/unix`, 'utf8').trim().split('\n').slice(1);
  return lines.filter((line) => {
    const [, , , , , state = '', inode = '', path = ''] = line.trim().split(/\s+/);
    return state === CONNECTED && inodes.has(inode) && path.includes(part);
  }).length;
}

function socketInodes(pid: number): Set<string> {
  const inodes = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode !== undefined) inodes.add(inode);
    } catch {
      // Closed since the folder was read.
    }
  }
  return inodes;
}

function connections(pid: number) {
  const lines = readFileSync(`/proc/${pid}/net/tcp`, 'utf8').trim().split('\n').slice(1);
  return lines.map((line) => {
    const [, local = '', remote = '', state = '', , , , , , inode = ''] = line.trim().split(/\s+/);
    return { local: portOf(local), remote: portOf(remote), state, inode };
  });
}

function portOf(address: string): number {
  return Number.parseInt(address.split(':')[1] ?? '', 16);
}
