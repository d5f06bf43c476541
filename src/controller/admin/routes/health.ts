import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { count } from '../schemas.ts';

export const healthRoute = defineRoute({
  method: 'GET',
  url: '/api/health',
  schema: {
    response: { 200: z.strictObject({ ok: z.literal(true), pid: count }).meta({ id: 'Health' }) },
  },
  config: {
    summary: 'Whether the controller runs',
    needs: 'nothing',
    example: { answer: { ok: true, pid: 4690 } },
  },
  handler: async () => ({ ok: true as const, pid: process.pid }),
});
