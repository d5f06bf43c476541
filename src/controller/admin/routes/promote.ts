import { ORDER_ID } from '../examples.ts';
import { defineRoute } from '../route.ts';
import { orderAnswer } from '../schemas.ts';

export const promoteRoute = defineRoute({
  method: 'POST',
  url: '/api/promote',
  schema: { response: { 200: orderAnswer } },
  config: {
    summary: 'Build and promote now',
    needs: 'token',
    example: { answer: { id: ORDER_ID } },
  },
  handler: ({ server }) => server.operations.promote(),
});
