import { subscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How long nobody must have been connected until no worker of the proxy can be left, in milliseconds. */
const QUIET_MS = 300;

/** The longest that workers keep connections of visitors who say nothing, and a second more, in milliseconds. */
const STAY_MS = 3000;

/** What a slot without visitors may take to end, in milliseconds: to flush something. */
const IDLE_LIMIT_MS = 5000;

/**
 * How long one that PM2 has lost stays for workers that it has lost too, besides the time in which these finish what is open, in
 * milliseconds: each leaves when its own successor is there, which takes up to 30 s (slots/orphan.ts).
 */
const LOST_MS = 35_000;

const LOOK_INTERVAL_MS = 20;

export interface Finish {
  /** Whether visitors are on this slot; asked once, at the signal. */
  isActive(): boolean;
  /** How long what is under way may take on the active slot. */
  drainTimeoutMs: number;
  /** Whether PM2 has lost this process, so that nothing waits for its end. */
  isLost?: () => boolean;
  /** Takes no more connections. */
  leave?: () => void;
}

/**
 * Makes SIGINT, by which PM2 stops a process, wait for the answers that are under way. A drained slot has none and ends at
 * once. A site that handles the signal itself is left to it, up to the limit.
 *
 * We stop the active slot only together with everything else (a container, `pm2 kill`): workers then still bring the last
 * request of each connection. So its processes stay until the workers have gone, and say with each answer that its connection is
 * over. One that PM2 has lost stays for workers that it has lost, whichever slot it is of: a WebSocket may be on it.
 */
export function finishOnSignal({
  isActive,
  drainTimeoutMs,
  isLost = () => false,
  leave = () => {},
}: Finish): void {
  let answers = 0;
  let connections = 0;
  let quietSince = performance.now();
  let stopping = false;
  subscribe('http.server.request.start', (message) => {
    const { response } = message as { response: ServerResponse };
    if (stopping) response.shouldKeepAlive = false;
    answers++;
    response.once('close', () => answers--);
  });
  subscribe('net.server.socket', (message) => {
    const { socket } = message as { socket: Socket };
    connections++;
    socket.once('close', () => {
      connections--;
      quietSince = performance.now();
    });
  });
  /** How long the process may take to end, and how long it stays for workers to come back. */
  const patience = () => {
    const lostMs = drainTimeoutMs + LOST_MS;
    if (isLost()) return { limitMs: lostMs, stayMs: lostMs };
    if (isActive()) return { limitMs: drainTimeoutMs, stayMs: STAY_MS };
    // PM2 waits as long as an active slot may take, and what hangs in another one would hold a promotion up.
    return { limitMs: IDLE_LIMIT_MS, stayMs: 0 };
  };
  process.on('SIGINT', () => {
    const { limitMs, stayMs } = patience();
    if (isLost()) leave();
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), limitMs).unref();
    if (process.listenerCount('SIGINT') > 1) {
      // One that closes its server and waits for Node to end by itself would wait for PM2's channel.
      process.channel?.unref();
      return;
    }
    stopping = true;
    quietSince = performance.now();
    const leaveAt = quietSince + stayMs;
    const endIfDone = () => {
      if (answers > 0) return;
      const now = performance.now();
      const isQuiet = connections === 0 && now - quietSince >= QUIET_MS;
      if (isQuiet || now >= leaveAt) process.exit(0);
    };
    setInterval(endIfDone, LOOK_INTERVAL_MS);
    endIfDone();
  });
}
