import { z } from 'zod';
import { releaseSchema } from '../../../slots/release.ts';
import type { KeptRelease } from '../api.ts';
import { RELEASE } from '../examples.ts';
import { defineRoute } from '../route.ts';
import { slot } from '../schemas.ts';

const releasesAnswer = z
  .array(releaseSchema.extend({ slots: z.array(slot).describe('those that point to it') }))
  .meta({ id: 'Releases' }) satisfies z.ZodType<KeptRelease[]>;

const EXAMPLE: KeptRelease[] = [
  {
    id: RELEASE,
    createdAt: '2026-01-31T12:00:00.000Z',
    trigger: 'edit',
    changed: ['src/content/posts/hello.md'],
    commit: null,
    buildMs: 4810,
    sourceHash: '1a2b3c'.padEnd(64, '0'),
    entry: 'server/entry.mjs',
    unsettled: false,
    slots: ['green'],
  },
];

export const releasesRoute = defineRoute({
  method: 'GET',
  url: '/api/releases',
  schema: { response: { 200: releasesAnswer } },
  config: {
    summary: 'The kept releases, newest first',
    needs: 'token',
    example: { answer: EXAMPLE },
  },
  handler: ({ server }) => server.operations.releases(),
});
