import { z } from 'zod';
import { ORDER_ID, RELEASE } from '../examples.ts';
import { defineRoute } from '../route.ts';
import { localQuery, orderAnswer, releaseId } from '../schemas.ts';

export const rollbackRoute = defineRoute({
  method: 'POST',
  url: '/api/rollback',
  schema: {
    querystring: localQuery,
    body: z.strictObject({
      release: releaseId.nullable().describe('a kept release, or null for the standby'),
    }),
    response: { 200: orderAnswer },
  },
  config: {
    summary:
      'Back to the standby, or to a kept release. Answers once it is live, and pauses the promotion of edits',
    needs: 'token',
    example: { body: { release: RELEASE }, answer: { id: ORDER_ID } },
  },
  handler: ({ server, body, query }) => server.operations.rollback(body.release, query.local),
});
