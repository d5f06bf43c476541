import { z } from 'zod';
import type { Deployed } from '../../deploy/deploy.ts';
import { ORDER_ID } from '../examples.ts';
import { defineRoute } from '../route.ts';

const deployedAnswer = z
  .strictObject({
    outcome: z.enum(['deployed', 'paused', 'unchanged']),
    from: z.string().describe('the commit that was checked out'),
    to: z.string().describe('the commit that is checked out now'),
    id: z.string().optional().describe('of the promotion'),
  })
  .meta({ id: 'Deployed' }) satisfies z.ZodType<Deployed>;

export const gitHookRoute = defineRoute({
  method: 'POST',
  url: '/hooks/git',
  // The body is signed byte for byte: it is read by the hook, and only once it may be.
  schema: { response: { 200: deployedAnswer } },
  config: {
    summary:
      "A git host's push webhook: fetch, fast-forward, promote. On the admin port only, with `deploy` in the config",
    needs: 'signature',
    adminPortOnly: true,
    example: {
      body: { ref: 'refs/heads/main' },
      answer: { outcome: 'deployed', from: 'a'.repeat(40), to: 'b'.repeat(40), id: ORDER_ID },
    },
  },
  handler: ({ server, raw }) => server.gitHook(raw),
});
