import { z } from 'zod';
import type { HistoryEntry } from '../../../slots/history.ts';
import { lastSchema } from '../../../slots/state.ts';
import { HISTORY_ENTRY } from '../examples.ts';
import { defineRoute } from '../route.ts';

const historyAnswer = z.array(lastSchema).meta({ id: 'History' }) satisfies z.ZodType<
  HistoryEntry[]
>;

export const historyRoute = defineRoute({
  method: 'GET',
  url: '/api/history',
  schema: {
    querystring: z.object({
      limit: z.coerce.number().int().min(1).max(10_000).default(100),
    }),
    response: { 200: historyAnswer },
  },
  config: {
    summary: 'What happened: the newest promotions and rollbacks, oldest first',
    needs: 'token',
    example: { query: 'limit=1', answer: [HISTORY_ENTRY] },
  },
  handler: ({ server, query }) => server.operations.history(query.limit),
});
