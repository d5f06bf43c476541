import { z } from 'zod';
import { lastSchema, maintenancePageSchema, stageSchema } from '../../../slots/state.ts';
import { TRIGGERS, type Trigger } from '../../../slots/trigger.ts';
import { HISTORY_ENTRY, RELEASE } from '../examples.ts';
import { defineRoute } from '../route.ts';
import { count, perSlot, slot, time } from '../schemas.ts';
import type { Status } from '../status.ts';
import { certificateAnswer } from './certificates.ts';

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

export const statusAnswer = z
  .strictObject({
    name: z.string(),
    version: z.string(),
    active: slot,
    epoch: count.describe('counts flips'),
    proxy: z.strictObject({
      port: count,
      tls: z.literal(true).optional().describe('only there when visitors come by HTTPS'),
      hosts: z
        .array(z.string())
        .optional()
        .describe('only there for a site on a front: its hosts, and the port is the front’s'),
      workers: z.array(z.strictObject({ pid: count, epoch: count, inflight: perSlot })),
    }),
    slots: z.strictObject({ blue: slotStatus, green: slotStatus }),
    promotion: z
      .strictObject({
        id: z.string(),
        stage: stageSchema,
        release: z.string().nullable(),
        startedAt: time,
        trigger: z.enum(Object.keys(TRIGGERS) as Trigger[]),
        durationsMs: lastSchema.shape.durationsMs.describe('of the stages that are done'),
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
      note: z.string().optional().describe('what became of an edit that was not promoted'),
    }),
    skew: z
      .strictObject({ files: count, bytes: count })
      .optional()
      .describe('hashed files of earlier releases that are kept for open tabs'),
    certificates: z
      .array(certificateAnswer)
      .optional()
      .describe('those that slots orders (`proxy.tls.acme`)'),
    fleet: z
      .strictObject({
        group: z.string(),
        id: z.string(),
        epoch: count.describe("counts the fleet's flips"),
        ready: z.boolean(),
        why: z.string().nullable().describe('why it is not ready'),
        connected: z.boolean().describe('whether it hears the others'),
        machines: count.describe('that are there, this one too'),
      })
      .optional()
      .describe('of this machine in its fleet; not there for a site on one machine'),
    maintenance: maintenancePageSchema
      .optional()
      .describe('what visitors get in place of the site; not there in usual times'),
    cache: z
      .strictObject({ hits: count, misses: count, entries: count, bytes: count })
      .describe('the release caches of all workers together'),
    failedOverFrom: slot.optional().describe('visitors were moved off this slot because it died'),
  })
  .meta({ id: 'Status' }) satisfies z.ZodType<Status>;

const { trigger: _, startedAt: __, ...last } = HISTORY_ENTRY;

const instance = {
  pid: 4711,
  status: 'online',
  uptimeMs: 65_000,
  memoryBytes: 73_400_320,
  restarts: 0,
};

export const STATUS_EXAMPLE: Status = {
  name: 'blog',
  version: '0.1.0',
  active: 'green',
  epoch: 12,
  proxy: {
    port: 4321,
    workers: [{ pid: 4700, epoch: 12, inflight: { blue: 0, green: 3 } }],
  },
  slots: {
    blue: {
      port: 4322,
      role: 'standby',
      release: 'r20260130T093000-9f8e7d',
      healthy: true,
      inflight: 0,
      instances: [instance],
    },
    green: {
      port: 4323,
      role: 'active',
      release: RELEASE,
      healthy: true,
      inflight: 3,
      instances: [{ ...instance, pid: 4712 }],
    },
  },
  promotion: null,
  last,
  watcher: { paths: ['src/content', 'public'], pending: 0, paused: false },
  skew: { files: 214, bytes: 4_812_340 },
  cache: { hits: 9120, misses: 311, entries: 274, bytes: 5_242_880 },
};

export const statusRoute = defineRoute({
  method: 'GET',
  url: '/api/status',
  schema: { response: { 200: statusAnswer } },
  config: {
    summary: 'Who is active, both slots, the running promotion and the last one',
    needs: 'token',
    example: { answer: STATUS_EXAMPLE },
  },
  handler: ({ server }) => server.operations.status(),
});
