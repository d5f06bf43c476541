import { defineRoute } from '../route.ts';

export const metricsRoute = defineRoute({
  method: 'GET',
  url: '/metrics',
  exposeHeadRoute: true,
  schema: {},
  config: {
    summary: 'Metrics for Prometheus, in its text format. On the admin port only',
    needs: 'nothing',
    adminPortOnly: true,
    produces: 'text/plain',
    example: { answer: 'slots_epoch 12\n' },
  },
  async handler({ server }, reply) {
    return reply.type(server.metrics.contentType).send(await server.metrics.text());
  },
});
