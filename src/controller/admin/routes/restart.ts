import { ORDER_ID } from '../examples.ts';
import { defineRoute } from '../route.ts';
import { orderAnswer } from '../schemas.ts';

export const restartRoute = defineRoute({
  method: 'POST',
  url: '/api/restart',
  schema: { response: { 200: orderAnswer } },
  config: {
    summary:
      'Fresh processes with the current environment for both slots, one after the other, with a flip between them',
    needs: 'token',
    example: { answer: { id: ORDER_ID } },
  },
  handler: ({ server }) => server.operations.restart(),
});
