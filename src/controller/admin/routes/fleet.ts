import { z } from 'zod';
import type { FleetReport } from '../../fleet/api.ts';
import { RELEASE } from '../examples.ts';
import { defineRoute } from '../route.ts';
import { count } from '../schemas.ts';

const fleetMachine = z.strictObject({
  id: z.string(),
  address: z.string().describe('where its visitors come in'),
  online: z.boolean().describe('heard of within `fleet.leaseMs`'),
  epoch: count.describe("the fleet's, that it serves"),
  release: z.string().nullable(),
  ready: z.boolean(),
  why: z.string().nullable().describe('why it is not ready'),
  builds: z.boolean().describe('whether it may build'),
  edited: z.boolean().describe('it has an edit that waits'),
  clock: z
    .strictObject({ offsetMs: z.number(), errorMs: z.number() })
    .nullable()
    .describe("the NATS server's clock less its own, and the most that this can be wrong by"),
});

const fleetAnswer = z
  .strictObject({
    group: z.string(),
    id: z.string().describe('of the machine that answers'),
    connected: z.boolean(),
    problem: z.string().nullable().describe('why it is not connected, or an edit waits'),
    epoch: count.describe("counts the fleet's flips"),
    release: z.string().nullable().describe('what all serve'),
    builder: z.string().nullable().describe('who builds or leads just now'),
    paused: z.boolean(),
    machines: z.array(fleetMachine),
  })
  .meta({ id: 'Fleet' }) satisfies z.ZodType<FleetReport>;

const machine = {
  online: true,
  epoch: 12,
  release: RELEASE,
  ready: true,
  why: null,
  builds: true,
  edited: false,
};

const example: FleetReport = {
  group: 'blog',
  id: 'web1',
  connected: true,
  problem: null,
  epoch: 12,
  release: RELEASE,
  builder: null,
  paused: false,
  machines: [
    { id: 'web1', address: '10.0.0.1:4321', ...machine, clock: { offsetMs: -0.4, errorMs: 0.2 } },
    { id: 'web2', address: '10.0.0.2:4321', ...machine, clock: { offsetMs: 3.1, errorMs: 0.3 } },
  ],
};

export const fleetRoute = defineRoute({
  method: 'GET',
  url: '/api/fleet',
  schema: { response: { 200: fleetAnswer } },
  config: {
    summary: 'The machines of the fleet, what each serves, and who builds',
    needs: 'token',
    example: { answer: example },
  },
  async handler({ server }) {
    return server.operations.fleet();
  },
});
