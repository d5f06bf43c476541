import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { count } from '../schemas.ts';

export const purgeRoute = defineRoute({
  method: 'POST',
  url: '/api/purge',
  schema: {
    body: z.strictObject({
      paths: z
        .array(z.string().startsWith('/'))
        .max(100)
        .describe('with * for anything but a slash and ** for anything; none: all that is stored'),
    }),
    response: {
      200: z
        .strictObject({ forgotten: count.describe('stored answers, of all workers') })
        .meta({ id: 'Purged' }),
    },
  },
  config: {
    summary: 'Forget what the release cache has stored',
    needs: 'token',
    example: { body: { paths: ['/blog/**'] }, answer: { forgotten: 42 } },
  },
  handler: ({ server, body }) => server.operations.purge(body.paths),
});
