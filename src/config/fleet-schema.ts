import { hostname } from 'node:os';
import { z } from 'zod';
import { milliseconds } from './milliseconds.ts';

/** Part of a NATS subject and of a stream's name, so no dot, space or wildcard. */
const token = z
  .string()
  .regex(/^[a-zA-Z0-9_-]{1,64}$/, 'up to 64 letters, digits, dashes and underscores');

const DAY_MS = 24 * 60 * 60 * 1000;

/** `fleet` of the config: several machines serve one site and flip together. */
export const fleetSchema = z.strictObject({
  /**
   * NATS servers with JetStream, for instance `['nats://10.0.0.5:4222']`; `tls://` asks for TLS, and sends nothing to a server without it. Credentials come by the environment
   * of `slots up`: `NATS_CREDS` (a file), or `NATS_USER` and `NATS_PASSWORD`, or `NATS_TOKEN`; `NATS_CA`, `NATS_CERT` and `NATS_KEY` (files) for TLS.
   */
  servers: z
    .array(
      z.string().regex(/^(nats|tls):\/\/[^\s/@]+$/, 'such as nats://10.0.0.5:4222, without a user'),
    )
    .min(1),
  /** The machines that belong together: the same on each of them, and of no other site. Default: `name`. */
  group: token.optional(),
  /** This machine's name in the group; a second machine with the same one is refused. Default: the host's name. */
  id: token.optional(),
  /**
   * The host and port at which the other machines reach this one's proxy, for `monotonic` and for people. Default: `host` of the config,
   * or `id` where that is every address, and `ports.proxy`.
   */
  address: z
    .string()
    .regex(/^(\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}$/, 'a host and a port, such as 10.0.0.5:4321')
    .optional(),
  /** Whether this machine may build. One that never does waits for what the others publish. */
  build: z.enum(['any', 'never']).default('any'),
  /** How long the machines may take to fetch, start and check a release before the promotion fails, in milliseconds. */
  prepareMs: milliseconds.min(1000).default(120_000),
  /** A machine that is silent for so long holds up nobody: it is left out, in milliseconds. */
  leaseMs: milliseconds.min(500).default(3000),
  /**
   * What a machine does that has lost NATS for `leaseMs`: `serve` goes on, `fence` says that it is not ready, so that
   * a load balancer sends nobody there.
   */
  onPartition: z.enum(['serve', 'fence']).default('serve'),
  /** No visitor sees an older release after a newer one, whichever machine answers: by a cookie. */
  monotonic: z.boolean().default(false),
  /** A machine that was last heard of so long ago is no longer listed, in milliseconds. */
  forgetMs: milliseconds.min(1000).default(DAY_MS),
});

/** `fleet` with its group and its id filled in. */
export interface FleetConfig extends z.output<typeof fleetSchema> {
  group: string;
  id: string;
}

/** @param name the site's */
export function completeFleet(
  fleet: z.output<typeof fleetSchema> | undefined,
  name: string,
): FleetConfig | undefined {
  if (fleet === undefined) return undefined;
  return { ...fleet, group: fleet.group ?? asToken(name), id: fleet.id ?? asToken(hostname()) };
}

/** Names of sites and hosts may have dots, which mean something in a subject. */
function asToken(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_-]/g, '-').slice(0, 64);
}
