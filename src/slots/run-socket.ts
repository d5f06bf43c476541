/**
 * The sockets in `slots/run`, one for each process that serves. A successor takes its path over by a rename, so that somebody
 * answers there at any time.
 */
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { isRunning } from '../is-running.ts';

export interface RunSocket {
  /** `taken`: by a successor. `gone`: nobody's, for its folder was removed. */
  state(): 'ours' | 'taken' | 'gone';
  /** Takes no more connections, and removes the path unless it is a successor's. */
  leave(): void;
}

const atExit = new Set<() => void>();

/** One listener for all of them: a worker of the front has one socket for each site. */
function removeAtExit(remove: () => void): void {
  if (!process.listeners('exit').includes(removeAll)) process.once('exit', removeAll);
  atExit.add(remove);
}

function removeAll(): void {
  for (const remove of atExit) remove();
}

/**
 * Listens at `path`, for this user only (0600).
 *
 * @throws Error when the folder cannot be written to, or is another user's
 */
export async function takeRunSocket(
  path: string,
  onConnection: (socket: Socket) => void,
  options: { allowHalfOpen?: boolean; pauseOnConnect?: boolean } = {},
): Promise<RunSocket> {
  makeOwnFolder(dirname(path));
  const server = createServer(options, onConnection);
  const first = `${path}.${process.pid}`;
  rmSync(first, { force: true });
  await listen(server, first);
  const inode = statSync(first).ino;
  writeFileSync(`${first}.pid`, `${process.pid} ${process.ppid}\n`);
  renameSync(`${first}.pid`, `${path}.pid`);
  renameSync(first, path);
  const state = () => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) return 'gone';
    return found.ino === inode ? 'ours' : 'taken';
  };
  const removeOurs = () => {
    if (state() === 'ours') for (const file of [path, `${path}.pid`]) rmSync(file, { force: true });
  };
  removeAtExit(removeOurs);
  return {
    state,
    leave() {
      atExit.delete(removeOurs);
      removeOurs();
      server.close();
    },
  };
}

/** The paths of all sockets whose name begins so, for instance `proxy`; also of processes that were killed. */
export function runSockets(run: string, name: string): string[] {
  try {
    const pattern = new RegExp(`^${name}-\\d+\\.sock$`);
    return readdirSync(run)
      .filter((file) => pattern.test(file))
      .map((file) => join(run, file));
  } catch {
    return [];
  }
}

export interface Owner {
  /** The socket's name without its number: `proxy`, `blue`, `watcher`, … */
  role: string;
  pid: number;
  /** The socket's. */
  path: string;
  /** The PM2 daemon that started it has died. */
  isOrphan: boolean;
}

/** The processes that listen at the sockets of one role, or of all, as far as they live. */
export async function runSocketOwners(run: string, role = '[a-z]+'): Promise<Owner[]> {
  const found = await Promise.all(runSockets(run, role).map(ownerOf));
  return found.filter((owner) => owner !== null);
}

async function ownerOf(path: string): Promise<Owner | null> {
  // A number in a file may be another process's by now; whoever takes connections is the one that wrote it.
  if (!(await isServed(path))) return null;
  try {
    const [pid = 0, daemon = 0] = readFileSync(`${path}.pid`, 'utf8').split(' ').map(Number);
    const role = basename(path).replace(/-\d+\.sock$/, '');
    return pid > 1 ? { role, pid, path, isOrphan: !isRunning(daemon) } : null;
  } catch {
    return null;
  }
}

/** Whether a process takes connections at this path. */
export function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (held: boolean) => {
      socket.destroy();
      resolve(held);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** Binds at once and by itself: in a cluster the primary would listen, and hold the socket. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const mask = process.umask(0o177);
    try {
      server.once('error', reject);
      server.listen({ path, exclusive: true }, () => {
        server.removeListener('error', reject);
        resolve();
      });
    } finally {
      process.umask(mask);
    }
  });
}

/** The folder may lie in the temp folder, where anybody can take its name first. */
function makeOwnFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || (process.getuid && found.uid !== process.getuid())) {
    throw new Error(`${folder} is not a folder of this user`);
  }
}
