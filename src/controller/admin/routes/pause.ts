import { defineRoute } from '../route.ts';
import { doneAnswer, localQuery } from '../schemas.ts';

export const pauseRoute = defineRoute({
  method: 'POST',
  url: '/api/pause',
  schema: { querystring: localQuery, response: { 200: doneAnswer } },
  config: {
    summary: 'Do not promote edits for now',
    needs: 'token',
    example: { answer: {} },
  },
  handler: ({ server, query }) => server.operations.pause(query.local).then(() => ({})),
});
