import { defineRoute } from '../route.ts';

export const openApiRoute = defineRoute({
  method: 'GET',
  url: '/api/openapi.json',
  schema: {},
  config: {
    summary: 'This API as an OpenAPI 3.1 document',
    needs: 'token',
    example: { answer: { openapi: '3.1.0' } },
  },
  handler: async ({ server }) => server.openApi(),
});
