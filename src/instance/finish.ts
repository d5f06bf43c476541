import { subscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';

/**
 * Makes SIGINT, by which PM2 stops a process, wait for the answers that are under way; PM2's `kill_timeout` is the
 * limit. A drained slot has none and ends at once. When everything stops together (a container, `slots down`),
 * the proxy can finish what its visitors have begun. A site that handles the signal itself is left to it.
 */
export function finishOnSignal(): void {
  let open = 0;
  let stopping = false;
  const endIfIdle = () => {
    if (stopping && open === 0) process.exit(0);
  };
  subscribe('http.server.request.start', (message) => {
    const { response } = message as { response: ServerResponse };
    open++;
    response.once('close', () => {
      open--;
      endIfIdle();
    });
  });
  process.on('SIGINT', () => {
    if (process.listenerCount('SIGINT') > 1) return;
    stopping = true;
    endIfIdle();
  });
}
