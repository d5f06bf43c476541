import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Operations } from './api.ts';
import type { Status } from './status.ts';

export type ControllerEvent =
  | { type: 'status'; status: Status }
  | { type: 'build-line'; line: string };

/** A comment line this often keeps a dead follower from being written to for ever, in milliseconds. */
const KEEP_ALIVE_MS = 15_000;

/**
 * With so much unread, in bytes, a follower misses lines of the build, which may print without end: each line that
 * waits costs several times its length.
 */
const MAX_UNREAD_LINES_BYTES = 64 * 1024;

/** A follower that leaves so much unread, in bytes, does not follow. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/** Server-sent events: the current status, then each change and each line of a build, until the follower goes. */
export async function streamEvents(
  operations: Operations,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  response.on('error', () => {});
  // Behind nginx each event would wait for a full buffer.
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  response.flushHeaders();
  request.resume();
  const send = (event: ControllerEvent) => {
    const unread = response.writableLength;
    if (unread > MAX_UNREAD_BYTES) response.destroy();
    else if (event.type === 'status' || unread < MAX_UNREAD_LINES_BYTES) {
      response.write(`data: ${JSON.stringify(event)}\n\n`);
    }
  };
  operations.follow(send, gone.signal);
  const keepAlive = setInterval(() => response.write(':\n\n'), KEEP_ALIVE_MS);
  gone.signal.addEventListener('abort', () => clearInterval(keepAlive));
  send({ type: 'status', status: await operations.status() });
}
