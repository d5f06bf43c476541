import { defineRoute } from '../route.ts';
import { doneAnswer } from '../schemas.ts';

export const resumeRoute = defineRoute({
  method: 'POST',
  url: '/api/resume',
  schema: { response: { 200: doneAnswer } },
  config: {
    summary: 'Promote edits again, those made meanwhile too',
    needs: 'token',
    example: { answer: {} },
  },
  handler: ({ server }) => server.operations.resume().then(() => ({})),
});
