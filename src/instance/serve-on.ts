import { Server } from 'node:net';
import { outliveDaemon } from '../outlive-daemon.ts';
import { endWhenUnneeded } from '../slots/orphan.ts';
import type { SitePaths } from '../slots/paths.ts';
import type { RunSocket } from '../slots/run-socket.ts';
import type { Slot } from '../slots/slot.ts';
import { whyUnneeded } from './unneeded.ts';

export interface ServingOn {
  /** For each server that listens, and the instance's socket. */
  onServing(server: Server, socket: RunSocket): void;
  /** Whether PM2's daemon has died. */
  isLost(): boolean;
  /** New connections are the successor's. */
  leave(): void;
}

/** Lets an instance serve on when PM2's daemon dies, until nobody needs it. */
export function serveOn(paths: SitePaths, slot: Slot, isActive: () => boolean): ServingOn {
  const servers: Server[] = [];
  const sockets: RunSocket[] = [];
  let isLost = false;

  /** As PM2 would: a site that handles the signal ends in its own way. */
  const end = () => void process.kill(process.pid, 'SIGINT');

  return {
    onServing(server, socket) {
      servers.push(server);
      // One that serves nobody yet ends with the daemon: its successor would lose the socket to it.
      if (sockets.push(socket) > 1) return;
      outliveDaemon(() => {
        isLost = true;
        endWhenUnneeded({ paths, sockets, whyUnneeded: whyUnneeded(slot, isActive), end });
      });
    },
    isLost: () => isLost,
    leave() {
      // The close of http.Server would cut connections that workers are about to use.
      for (const server of servers) Server.prototype.close.call(server);
      for (const socket of sockets) socket.leave();
    },
  };
}
