import { defineRoute } from '../route.ts';
import { doneAnswer, localQuery } from '../schemas.ts';

export const resumeRoute = defineRoute({
  method: 'POST',
  url: '/api/resume',
  schema: { querystring: localQuery, response: { 200: doneAnswer } },
  config: {
    summary: 'Promote edits again, those made meanwhile too',
    needs: 'token',
    example: { answer: {} },
  },
  handler: ({ server, query }) => server.operations.resume(query.local).then(() => ({})),
});
