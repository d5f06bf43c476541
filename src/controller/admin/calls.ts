/** Every call of the admin API, for its OpenAPI document and docs/api.md. */
import type { z } from 'zod';
import { EXAMPLES } from './examples.ts';
import * as schemas from './schemas.ts';

export interface Call {
  method: 'GET' | 'POST';
  path: string;
  summary: string;
  /** What a caller shows on the admin port; on the control socket nothing is asked for. */
  needs: 'token' | 'nothing' | 'signature';
  query?: z.ZodObject;
  body?: z.ZodType;
  answer: { type: 'application/json' | 'text/plain' | 'text/event-stream'; schema: string | null };
  example: { query?: string; body?: unknown; answer: unknown };
}

/** Named schemas, which others refer to by name. */
export const COMPONENTS: Record<string, z.ZodType> = {
  Health: schemas.healthAnswer,
  Status: schemas.statusAnswer,
  Order: schemas.orderAnswer,
  Done: schemas.emptyAnswer,
  Releases: schemas.releasesAnswer,
  History: schemas.historyAnswer,
  Traffic: schemas.trafficAnswer,
  Event: schemas.eventAnswer,
  Deployed: schemas.deployAnswer,
  Error: schemas.errorAnswer,
};

const json = (schema: string) => ({ type: 'application/json' as const, schema });
const get = (path: string) => ({ method: 'GET' as const, path, needs: 'token' as const });
const post = (path: string) => ({ method: 'POST' as const, path, needs: 'token' as const });

export const CALLS: Call[] = [
  {
    ...get('/api/health'),
    needs: 'nothing',
    summary: 'Whether the controller runs',
    answer: json('Health'),
    example: { answer: { ok: true, pid: 4690 } },
  },
  {
    ...get('/api/status'),
    summary: 'Who is active, both slots, the running promotion and the last one',
    answer: json('Status'),
    example: { answer: EXAMPLES.status },
  },
  {
    ...post('/api/promote'),
    summary: 'Build and promote now',
    answer: json('Order'),
    example: { answer: { id: EXAMPLES.id } },
  },
  {
    ...post('/api/rollback'),
    summary:
      'Back to the standby, or to a kept release. Answers once it is live, and pauses the promotion of edits',
    body: schemas.rollbackBody,
    answer: json('Order'),
    example: { body: { release: EXAMPLES.release }, answer: { id: EXAMPLES.id } },
  },
  {
    ...post('/api/pause'),
    summary: 'Do not promote edits for now',
    answer: json('Done'),
    example: { answer: {} },
  },
  {
    ...post('/api/resume'),
    summary: 'Promote edits again, those made meanwhile too',
    answer: json('Done'),
    example: { answer: {} },
  },
  {
    ...get('/api/releases'),
    summary: 'The kept releases, newest first',
    answer: json('Releases'),
    example: { answer: EXAMPLES.releases },
  },
  {
    ...get('/api/history'),
    summary: 'What happened: the newest promotions and rollbacks, oldest first',
    query: schemas.historyQuery,
    answer: json('History'),
    example: { query: 'limit=1', answer: EXAMPLES.history },
  },
  {
    ...get('/api/build-log'),
    summary: "A build's output, its last 2 MiB",
    query: schemas.buildLogQuery,
    answer: { type: 'text/plain', schema: null },
    example: { query: `release=${EXAMPLES.release}`, answer: EXAMPLES.buildLog },
  },
  {
    ...get('/api/traffic'),
    summary: 'Requests, errors and latency of the last five minutes, second by second',
    answer: json('Traffic'),
    example: { answer: EXAMPLES.traffic },
  },
  {
    ...get('/api/events'),
    summary:
      'Server-sent events: the status now and at each change, and each line of a running build. Takes the token as `?token=` too',
    answer: { type: 'text/event-stream', schema: 'Event' },
    example: {
      answer: `data: ${JSON.stringify({ type: 'build-line', line: 'building the site' })}\n\n`,
    },
  },
  {
    ...get('/api/openapi.json'),
    summary: 'This API as an OpenAPI 3.1 document',
    answer: { type: 'application/json', schema: null },
    example: { answer: { openapi: '3.1.0' } },
  },
  {
    ...get('/metrics'),
    needs: 'nothing',
    summary: 'Metrics for Prometheus, in its text format. On the admin port only',
    answer: { type: 'text/plain', schema: null },
    example: { answer: 'slots_epoch 12\n' },
  },
  {
    ...post('/hooks/git'),
    needs: 'signature',
    summary:
      "A git host's push webhook: fetch, fast-forward, promote. On the admin port only, with `deploy` in the config",
    answer: json('Deployed'),
    example: { body: { ref: 'refs/heads/main' }, answer: EXAMPLES.deployed },
  },
];
