import type { Socket } from 'node:net';

/**
 * Judges a peer's silence only after what it has sent has been read.
 *
 * An event loop that stood still (a starved machine, a stopped process, a long garbage collection) runs the timers that are
 * due before it reads from its sockets: by its timer alone, a peer whose bytes wait in the kernel is taken for a silent
 * one. Immediates run after that reading. `judge` has to look again whether the peer is still awaited.
 */
export function afterReading(judge: () => void): void {
  setImmediate(judge);
}

/** For the `timeout` of a socket: `judge` is called unless the socket moves after all, which has set its timer anew. */
export function ifStillSilent(socket: Socket, judge: () => void): void {
  const { bytesRead, connecting } = socket;
  afterReading(() => {
    const isStill = socket.bytesRead === bytesRead && socket.connecting === connecting;
    if (isStill && !socket.destroyed) judge();
  });
}
