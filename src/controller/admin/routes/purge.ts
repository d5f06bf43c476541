import { z } from 'zod';
import { LONGEST_TAG, MOST_PURGED } from '../../../slots/cache-tags.ts';
import { defineRoute } from '../route.ts';
import { count, localQuery } from '../schemas.ts';

/** In characters. */
const LONGEST_PATH = 2048;

export const purgeRoute = defineRoute({
  method: 'POST',
  url: '/api/purge',
  schema: {
    querystring: localQuery,
    body: z.strictObject({
      paths: z
        .array(z.string().startsWith('/').max(LONGEST_PATH))
        .max(MOST_PURGED)
        .default([])
        .describe('with * for anything but a slash and ** for anything'),
      tags: z
        .array(z.string().min(1).max(LONGEST_TAG))
        .min(1)
        .max(MOST_PURGED)
        .optional()
        .describe(
          'as the answers have them in Slots-Cache-Tag or Cache-Tag; without paths and tags: all that is stored',
        ),
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
  handler: ({ server, query, body: { paths, tags = [] } }) =>
    server.operations.purge({ paths, tags }, query.local),
});
