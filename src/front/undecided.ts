/** Connections that have not said yet which site they are for. */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FrontConfig } from '../config/front.ts';

const LOOK_INTERVAL_MS = 500;

/** A visitor's first request may be on its way when the worker ends. */
const SETTLE_MS = 2000;
const SETTLE_LOOK_MS = 50;

export interface Undecided {
  add(socket: Socket): void;
  /** It has been said. */
  remove(socket: Socket): void;
  count(): number;
  /** Gives them a moment to say it, and closes the others. */
  settle(): Promise<void>;
}

/** One more than the limit closes the one that has been silent the longest: nobody's visitors wait for it. */
export function createUndecided({ limits }: Pick<FrontConfig, 'limits'>): Undecided {
  /** When each came, then when its first byte was seen; in the order of their coming. */
  const since = new Map<Socket, { at: number; hasBegun: boolean }>();

  const look = () => {
    const now = performance.now();
    for (const [socket, begin] of since) {
      if (!begin.hasBegun && socket.bytesRead > 0) {
        begin.hasBegun = true;
        begin.at = now;
      }
      const limit = begin.hasBegun ? limits.headersTimeoutMs : limits.idleTimeoutMs;
      if (now - begin.at > limit) socket.destroy();
    }
  };
  const timer = setInterval(look, LOOK_INTERVAL_MS).unref();

  function forget(this: Socket): void {
    since.delete(this);
  }

  return {
    add(socket) {
      since.set(socket, { at: performance.now(), hasBegun: false });
      socket.on('close', forget);
      if (since.size <= limits.undecided) return;
      const [oldest] = since.keys();
      oldest?.destroy();
      since.delete(oldest as Socket);
    },
    remove: (socket) => void since.delete(socket),
    count: () => since.size,
    async settle() {
      const deadline = performance.now() + SETTLE_MS;
      while (since.size > 0 && performance.now() < deadline) await delay(SETTLE_LOOK_MS);
      clearInterval(timer);
      for (const socket of since.keys()) socket.destroy();
    },
  };
}
