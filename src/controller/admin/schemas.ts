/** What the admin API takes and gives. The OpenAPI document is made from these. */
import { z } from 'zod';
import type { HistoryEntry } from '../../slots/history.ts';
import { releaseSchema } from '../../slots/release.ts';
import { RELEASE_ID } from '../../slots/release-id.ts';
import { SLOTS } from '../../slots/slot.ts';
import { lastSchema, stageSchema } from '../../slots/state.ts';
import type { TrafficPoint } from '../metrics/traffic-ring.ts';
import type { KeptRelease } from './api.ts';
import type { ControllerEvent } from './events.ts';
import type { Status } from './status.ts';

const count = z.int().min(0);
const slot = z.enum(SLOTS);
const perSlot = z.strictObject({ blue: count, green: count });
const time = z.string().describe('ISO 8601, UTC');
const releaseId = z.string().regex(RELEASE_ID);

const slotStatus = z.strictObject({
  port: count,
  role: z.enum(['active', 'standby', 'candidate', 'retiring', 'down']),
  release: z.string().nullable(),
  healthy: z.boolean(),
  inflight: count.describe('requests and WebSockets that are open on it'),
  instances: z.array(
    z.strictObject({
      pid: count,
      status: z.string().describe("PM2's word, for instance online or errored"),
      uptimeMs: z.number(),
      memoryBytes: z.number(),
      restarts: count,
    }),
  ),
});

export const statusAnswer = z.strictObject({
  name: z.string(),
  version: z.string(),
  active: slot,
  epoch: count.describe('counts flips'),
  proxy: z.strictObject({
    port: count,
    tls: z.literal(true).optional().describe('only there when visitors come by HTTPS'),
    workers: z.array(z.strictObject({ pid: count, epoch: count, inflight: perSlot })),
  }),
  slots: z.strictObject({ blue: slotStatus, green: slotStatus }),
  promotion: z
    .strictObject({
      id: z.string(),
      stage: stageSchema,
      release: z.string().nullable(),
      startedAt: time,
      trigger: z.string(),
    })
    .nullable()
    .describe('the one that runs'),
  last: lastSchema
    .omit({ trigger: true, startedAt: true })
    .nullable()
    .describe('the one that ended last, and why it failed'),
  watcher: z.strictObject({
    paths: z.array(z.string()),
    pending: count,
    paused: z.boolean(),
    problem: z.string().optional().describe('why edits are not promoted, or only late'),
  }),
  failedOverFrom: slot.optional().describe('visitors were moved off this slot because it died'),
}) satisfies z.ZodType<Status>;

export const releasesAnswer = z.array(
  releaseSchema.extend({ slots: z.array(slot).describe('those that point to it') }),
) satisfies z.ZodType<KeptRelease[]>;

export const historyAnswer = z.array(lastSchema) satisfies z.ZodType<HistoryEntry[]>;

export const trafficAnswer = z.strictObject({
  points: z
    .array(
      z.strictObject({
        at: time,
        requests: count.describe('answers in this second'),
        errors: count.describe('those with a status of 500 or above'),
        p50Ms: z.number().nullable().describe("median time to an answer's head, in milliseconds"),
        p99Ms: z.number().nullable(),
      }),
    )
    .describe('one a second for the last five minutes, oldest first'),
}) satisfies z.ZodType<{ points: TrafficPoint[] }>;

export const eventAnswer = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('status'), status: statusAnswer }),
  z.strictObject({ type: z.literal('build-line'), line: z.string() }),
]) satisfies z.ZodType<ControllerEvent>;

export const healthAnswer = z.strictObject({ ok: z.literal(true), pid: count });

export const orderAnswer = z.strictObject({
  id: z.string().describe('of the promotion to be; status and history name it'),
});

export const emptyAnswer = z.strictObject({});

export const errorAnswer = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    hint: z.string().optional().describe('what to do about it'),
  }),
});

export const deployAnswer = z.strictObject({
  outcome: z.enum(['deployed', 'paused', 'unchanged']),
  from: z.string().describe('the commit that was checked out'),
  to: z.string().describe('the commit that is checked out now'),
  id: z.string().optional().describe('of the promotion'),
});

export const rollbackBody = z.strictObject({
  release: releaseId.nullable().describe('a kept release, or null for the standby'),
});

export const historyQuery = z.object({
  limit: z.coerce.number().int().min(1).max(10_000).default(100),
});

export const buildLogQuery = z.object({
  release: releaseId.optional().describe('without it: the newest build, which may be running'),
});
