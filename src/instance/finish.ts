import { subscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How long nobody must have been connected until no worker of the proxy can be left, in milliseconds. */
const QUIET_MS = 300;

/** The longest that workers keep connections of visitors who say nothing, and a second more, in milliseconds. */
const STAY_MS = 3000;

const LOOK_INTERVAL_MS = 20;

/**
 * Makes SIGINT, by which PM2 stops a process, wait for the answers that are under way; PM2's `kill_timeout` is the
 * limit. A drained slot has none and ends at once. A site that handles the signal itself is left to it.
 *
 * We stop the active slot only together with everything else (a container, `pm2 kill`): the proxy's
 * workers then still bring the last request of each connection. So its processes stay until the workers have gone.
 *
 * @param isActive is asked once, at the signal
 */
export function finishOnSignal(isActive: () => boolean): void {
  let answers = 0;
  let connections = 0;
  let quietSince = performance.now();
  subscribe('http.server.request.start', (message) => {
    const { response } = message as { response: ServerResponse };
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
  process.on('SIGINT', () => {
    if (process.listenerCount('SIGINT') > 1) return;
    quietSince = performance.now();
    const leaveAt = quietSince + (isActive() ? STAY_MS : 0);
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
