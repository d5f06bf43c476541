/**
 * Passes a listening socket between two processes that are not parent and child, over a Unix socket (SCM_RIGHTS).
 *
 * Node passes handles over the channel of a child process only, but what that is made of is there: a pipe of the kind `IPC`
 * takes a handle along with what is written to it. `process.binding` gives it to programs, for good (DEP0111 has no
 * runtime deprecation); test/proxy/public-port.test.ts fails should that ever change.
 */
import { type Server, Socket } from 'node:net';
import { ifStillSilent } from '../after-reading.ts';

/** How long whoever is asked may take, in milliseconds. */
const ANSWER_TIMEOUT_MS = 1000;

interface PipeHandle {
  fd: number;
  /** What came with the bytes that were read last. */
  pendingHandle?: ListeningHandle;
  open(fd: number): number;
  close(): void;
  writeUtf8String(request: object, text: string, handle: object): number;
}

interface ListeningHandle {
  getsockname(out: { port?: number }): number;
  close(): void;
}

interface Bindings {
  Pipe: { new (kind: number): PipeHandle };
  constants: { IPC: number };
  WriteWrap: { new (): { oncomplete?: (status: number) => void } };
}

function bindings(): Bindings {
  const { binding } = process as unknown as { binding(name: string): Bindings };
  return { ...binding('pipe_wrap'), WriteWrap: binding('stream_wrap').WriteWrap };
}

/**
 * Answers whoever has connected with the socket that `server` listens on.
 *
 * @param to accepted with `pauseOnConnect`, so that nobody reads from it
 */
export function passHandle(server: Server, to: Socket): void {
  const { Pipe, constants, WriteWrap } = bindings();
  const { _handle: listening } = server as unknown as { _handle: { fd?: number } | null };
  const { _handle: accepted } = to as unknown as { _handle: PipeHandle };
  // A server that listens through PM2's daemon has a stand-in, of which Node would die.
  if (typeof listening?.fd !== 'number' || listening.fd < 0) {
    to.destroy();
    return;
  }
  // Two handles of one descriptor: it is closed by this one, and the accepted one is never used.
  const pipe = new Pipe(constants.IPC);
  pipe.open(accepted.fd);
  const request = new WriteWrap();
  request.oncomplete = () => pipe.close();
  if (pipe.writeUtf8String(request, '\n', listening) !== 0) pipe.close();
}

/** Asks at `path` for the socket that a process listens on; `null` when none answers, or with another port. */
export function receiveHandle(path: string, port: number): Promise<object | null> {
  const { Pipe, constants } = bindings();
  const pipe = new Pipe(constants.IPC);
  return new Promise((resolve) => {
    const socket = new Socket({ handle: pipe, manualStart: true } as never);
    const end = (handle: object | null) => {
      socket.destroy();
      resolve(handle);
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => ifStillSilent(socket, () => end(null)));
    socket.on('error', () => end(null));
    socket.on('close', () => end(null));
    socket.on('data', () => {
      const handle = pipe.pendingHandle;
      const address: { port?: number } = {};
      if (handle?.getsockname(address) === 0 && address.port === port) return end(handle);
      handle?.close();
      end(null);
    });
    socket.connect(path);
  });
}
