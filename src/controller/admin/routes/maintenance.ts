import { z } from 'zod';
import { isTrustable, TRUSTABLE } from '../../../config/trusted-proxies.ts';
import { defineRoute } from '../route.ts';
import { doneAnswer, localQuery } from '../schemas.ts';

/** In characters. */
const LONGEST_MESSAGE = 1000;
const MOST_ALLOWED = 100;

export const maintenanceRoute = defineRoute({
  method: 'POST',
  url: '/api/maintenance',
  schema: {
    querystring: localQuery,
    body: z.strictObject({
      on: z.boolean(),
      message: z
        .string()
        .trim()
        .min(1)
        .max(LONGEST_MESSAGE)
        .nullable()
        .default(null)
        .describe('plain text; null for the words of slots'),
      allow: z
        .array(z.string().refine(isTrustable, `should be ${TRUSTABLE}`))
        .max(MOST_ALLOWED)
        .default([])
        .describe('who sees the site all the same: IPs, CIDR blocks or loopback'),
    }),
    response: { 200: doneAnswer },
  },
  config: {
    summary:
      'Visitors get a 503 page in place of the site, or the site again. Answers once all workers go by it',
    needs: 'token',
    example: {
      body: { on: true, message: 'Back at noon.', allow: ['203.0.113.0/24'] },
      answer: {},
    },
  },
  handler: ({ server, query, body: { on, message, allow } }) =>
    server.operations.maintenance(on ? { message, allow } : null, query.local).then(() => ({})),
});
