import { z } from 'zod';
import type { TrafficPoint } from '../../metrics/traffic-ring.ts';
import { defineRoute } from '../route.ts';
import { count, time } from '../schemas.ts';

const trafficAnswer = z
  .strictObject({
    points: z
      .array(
        z.strictObject({
          at: time,
          requests: count.describe('answers in this second'),
          errors: count.describe('those with a status of 500 or above'),
          hits: count.describe('requests that were answered from memory'),
          misses: count.describe('those that went on to the site since nothing was stored'),
          p50Ms: z.number().nullable().describe("median time to an answer's head, in milliseconds"),
          p99Ms: z.number().nullable(),
        }),
      )
      .describe('one a second for the last five minutes, oldest first'),
  })
  .meta({ id: 'Traffic' }) satisfies z.ZodType<{ points: TrafficPoint[] }>;

const EXAMPLE: { points: TrafficPoint[] } = {
  points: [
    {
      at: '2026-01-31T12:00:00.000Z',
      requests: 118,
      errors: 0,
      hits: 96,
      misses: 14,
      p50Ms: 3.1,
      p99Ms: 21.5,
    },
    {
      at: '2026-01-31T12:00:01.000Z',
      requests: 0,
      errors: 0,
      hits: 0,
      misses: 0,
      p50Ms: null,
      p99Ms: null,
    },
  ],
};

export const trafficRoute = defineRoute({
  method: 'GET',
  url: '/api/traffic',
  schema: { response: { 200: trafficAnswer } },
  config: {
    summary: 'Requests, errors and latency of the last five minutes, second by second',
    needs: 'token',
    example: { answer: EXAMPLE },
  },
  handler: async ({ server }) => ({ points: server.operations.traffic() }),
});
