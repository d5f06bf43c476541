import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { SlotsError } from '../../../errors.ts';
import { RELEASE } from '../examples.ts';
import { defineRoute } from '../route.ts';
import { releaseId } from '../schemas.ts';

/** Of a longer build log only the end is sent, in bytes: that is where a failure is told. */
const MAX_LOG_BYTES = 2 * 1024 * 1024;

export const buildLogRoute = defineRoute({
  method: 'GET',
  url: '/api/build-log',
  schema: {
    querystring: z.object({
      release: releaseId.optional().describe('without it: the newest build, which may be running'),
    }),
  },
  config: {
    summary: "A build's output, its last 2 MiB",
    needs: 'token',
    produces: 'text/plain',
    example: { query: `release=${RELEASE}`, answer: 'building the site\ndone in 4.8 s\n' },
  },
  async handler({ server, query }, reply) {
    const path = await server.operations.buildLog(query.release ?? null);
    const found = await stat(path).catch(() => null);
    if (!found) throw new SlotsError('NO_BUILD', 'there is no log of this build');
    reply.type('text/plain; charset=utf-8');
    if (found.size === 0) return reply.send('');
    // Up to its size now: a running build's log grows, and its lines come as events as well.
    const start = Math.max(0, found.size - MAX_LOG_BYTES);
    reply.header('content-length', found.size - start);
    return reply.send(createReadStream(path, { start, end: found.size - 1 }));
  },
});
