import type { Server } from 'node:net';

/** How long a connection may be silent until TCP asks whether anybody is there, in milliseconds. */
const KEEP_ALIVE_MS = 60_000;

/** Of a server: a visitor who has gone without a word is noticed, even on a WebSocket that is silent for days. */
export const TCP_OPTIONS = {
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: KEEP_ALIVE_MS,
};

/** The listening socket, which Node's types leave out; that of a server which listens through PM2's daemon is a stand-in. */
interface ListeningHandle {
  setNoDelay?(on: boolean): number;
  setKeepAlive?(on: boolean, seconds: number): number;
}

interface ListeningServer {
  _handle: ListeningHandle | null;
  noDelay: boolean;
  keepAlive: boolean;
}

/**
 * Sets `TCP_OPTIONS` on the listening socket, from which the kernel gives them to each that it accepts (Linux). Node sets
 * them on each one anew, by five system calls.
 */
export function inheritTcpOptions(server: Server): void {
  if (process.platform !== 'linux') return;
  server.on('listening', () => {
    const listening = server as unknown as ListeningServer;
    const { _handle: handle } = listening;
    if (handle?.setNoDelay?.(true) !== 0) return;
    if (handle.setKeepAlive?.(true, KEEP_ALIVE_MS / 1000) !== 0) return;
    listening.noDelay = false;
    listening.keepAlive = false;
  });
}
