import { defineRoute } from '../route.ts';
import { doneAnswer } from '../schemas.ts';

export const pauseRoute = defineRoute({
  method: 'POST',
  url: '/api/pause',
  schema: { response: { 200: doneAnswer } },
  config: {
    summary: 'Do not promote edits for now',
    needs: 'token',
    example: { answer: {} },
  },
  handler: ({ server }) => server.operations.pause().then(() => ({})),
});
