import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { ControllerEvent, Operations } from '../api.ts';
import { defineRoute } from '../route.ts';
import { statusAnswer } from './status.ts';

/** A comment line this often keeps a dead follower from being written to for ever, in milliseconds. */
const KEEP_ALIVE_MS = 15_000;

/**
 * With so much unread, in bytes, a follower misses lines of the build, which may print without end: each line that
 * waits costs several times its length.
 */
const MAX_UNREAD_LINES_BYTES = 64 * 1024;

/** A follower that leaves so much unread, in bytes, does not follow. */
const MAX_UNREAD_BYTES = 1024 * 1024;

export const eventAnswer = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('status'), status: statusAnswer }),
    z.strictObject({ type: z.literal('build-line'), line: z.string() }),
  ])
  .meta({ id: 'Event' }) satisfies z.ZodType<ControllerEvent>;

const EXAMPLE: ControllerEvent = { type: 'build-line', line: 'building the site' };

export const eventsRoute = defineRoute({
  method: 'GET',
  url: '/api/events',
  schema: { response: { 200: eventAnswer } },
  config: {
    summary:
      'Server-sent events: the status now and at each change, and each line of a running build. Takes the token as `?token=` too',
    needs: 'token',
    tokenInQuery: true,
    produces: 'text/event-stream',
    example: { answer: `data: ${JSON.stringify(EXAMPLE)}\n\n` },
  },
  async handler({ server, raw }, reply) {
    // Fastify's own streams hide how much is unread, which the limits above go by.
    reply.hijack();
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as OutgoingHttpHeaders),
      'content-type': 'text/event-stream',
      // Behind nginx each event would wait for a full buffer.
      'x-accel-buffering': 'no',
    });
    raw.resume();
    await streamEvents(server.operations, reply.raw);
  },
});

/** The current status, then each change and each line of a build, until the follower goes. */
async function streamEvents(operations: Operations, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  response.on('error', () => {});
  response.flushHeaders();
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
  const status = await operations.status().catch(() => null);
  // Without a status now the follower tries again.
  if (status) send({ type: 'status', status });
  else response.destroy();
}
